#pragma once

#include <functional>

#include "layers/models/decode.hpp"

// What the ways to decode share: greedy, beam_search and sample_answers differ in which token they take.

namespace heed::inline HEED_PRECISION {

// A batch of rows, each of which goes on token by token.
class Writing {
 public:
  // Throws `who: ...` unless previous is (B), B at least 1, and max_length at least 1.
  Writing(const char* who, const Autoregressive& model, DecoderState state, const Ids& previous,
          const Limits& limits);

  // One more token in every row: what comes next. Throws on limits that the vocabulary does not have.
  struct Next {
    Tensor log_p;    // (rows, V): of the model itself, but -inf for the tokens that never come
    Tensor weights;  // (rows, S), where they are kept
  };
  Next step(std::span<const int32_t> previous);
  // log p of row i, (V). Throws on NaN.
  [[nodiscard]] std::span<const real> row(const Next& next, size_t i) const;
  // Goes on with the rows rows[0], rows[1], ... of the batch.
  void keep(std::span<const int32_t> rows);
  [[nodiscard]] int64_t steps() const { return steps_; }
  [[nodiscard]] int64_t slots() const { return slots_; }  // S; -1 where no weights are kept

 private:
  const char* who_;
  const Autoregressive& model_;
  DecoderState state_;
  const Limits& limits_;
  int64_t batch_, rows_;
  int64_t steps_ = 0, slots_ = -1;
};

// B answers, each of which takes the token that `choose` finds in log p (V) until it is done.
using Choose = std::function<int32_t(size_t answer, std::span<const real> log_p)>;
std::vector<Decoded> write(const char* who, const Autoregressive& model, DecoderState state,
                           const Ids& previous, const Limits& limits, const Choose& choose);

// bos (B), what an encoder-decoder is fed first, for a source (B, S).
Ids bos_of(const Ids& source);

}  // namespace heed::inline HEED_PRECISION
