#pragma once

#include <span>
#include <vector>

#include "autograd/ids.hpp"
#include "layers/attention.hpp"
#include "layers/module.hpp"

// What every model that writes offers, so that training, decoding and measuring know no model by name.
// Letters: B batch, S source tokens, T target tokens, V target vocabulary.

namespace heed::inline HEED_PRECISION {

// Which position of the source each prediction looked at, and the prediction.
struct Prediction {
  Tensor logits;  // (B, T, V), of one step (B, V): log-probabilities up to a constant
  // (B, T, S), of one step (B, S): attention onto the source. Undefined where nothing attends, or a model
  // does not compute it in training.
  Tensor weights;
  Tensor probabilities = {};  // as the weights: by which a hard normalizer chose; of recurrent decoders
};

// What a decoder knows after some steps: what it attends to (the source; its own past) and its own states,
// all with the batch as their first axis. Copying it is cheap: tensors are handles, and a step replaces them.
struct DecoderState {
  PoolVector<Memory> memories;
  TensorList tensors;
  Past past = {};  // of the attention onto the source
  int64_t steps = 0;
  Ids source = {};  // (B, S), of models that copy its words

  // The rows rows[0], rows[1], ... of the batch: beams, rows that go on.
  [[nodiscard]] DecoderState select(std::span<const int32_t> rows) const;
};

// A model that predicts token after token, each from those before it: what decode.hpp writes answers with.
// The state before the first token comes from the model's own `start`.
struct Autoregressive : Module {
  // One more token (B) in every row: what comes next.
  virtual Prediction step(DecoderState& state, const Ids& previous) const = 0;
};

struct Seq2Seq : Autoregressive {
  // p(y_t | y_1 .. y_(t-1), source) for all t at once, each given the true tokens before it (teacher
  // forcing). source (B, S) filled up with pad, lengths (B) its true lengths; target (B, T): bos y_1 .. y_n
  // pad. logits[b, t] predicts what follows target[b, t]. Beyond a row's end they mean nothing; ignore them.
  virtual Prediction operator()(const Ids& source, std::span<const int32_t> lengths, const Ids& target,
                                const Pass& pass) const = 0;
  // The same step by step: the state before the first token, then `step`, bos first.
  [[nodiscard]] virtual DecoderState start(const Ids& source, std::span<const int32_t> lengths) const = 0;
};

// Throws `who: ...` unless ids are (B, T), B and T at least 1; the same of a source and its lengths.
void check_batch(const char* who, const Ids& ids);
void check_batch(const char* who, const Ids& source, std::span<const int32_t> lengths);
// Throws `who: ...` unless there are `batch` lengths, each in [1, most].
void check_lengths(const char* who, std::span<const int32_t> lengths, int64_t batch, int64_t most);

}  // namespace heed::inline HEED_PRECISION
