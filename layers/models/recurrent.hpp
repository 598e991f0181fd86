#pragma once

#include <memory>
#include <string>

#include "layers/attention.hpp"
#include "layers/dropout.hpp"
#include "layers/embedding.hpp"
#include "layers/linear.hpp"
#include "layers/models/seq2seq.hpp"
#include "layers/recurrent.hpp"

namespace heed::inline HEED_PRECISION {

// Where the context enters a recurrent decoder. s_t is its state, y_t the embedded token fed at step t, c_t
// the context, a_t = tanh(W_c [c_t; s_t]) the attentional vector; logits = W_o a_t in all three.
enum class DecoderOrder {
  // Query = the current state, context to the output alone: s_t = f(y_t, s_(t-1)), c_t = attend(s_t). The
  // recurrence waits for no context, so that the whole target is one recurrent op and one attend; and the
  // context is fed back into no state, so that no symbol can be fetched a step early and carried along.
  luong,
  // Luong et al. 2015, section 3.3: s_t = f([y_t; a_(t-1)], s_(t-1)), c_t = attend(s_t).
  input_feeding,
  // Bahdanau et al. 2014, section 3: c_t = attend(s_(t-1)), s_t = f([y_t; c_t], s_(t-1)). The context
  // feeds the state, which can carry a symbol for a step: the weights may run ahead of the output.
  bahdanau,
};

// An RNN encoder, a memory of its states, and an RNN decoder that attends to it (Bahdanau et al. 2014; Luong
// et al. 2015). Encoder: embedding, Recurrent in both directions. Memory: keys = its states (B, S, 2E),
// values = the same or the source embeddings. The decoder begins at tanh(W_b [last forward; last backward h]
// + b), one bridge W_b per layer (Bahdanau's A.2.2 takes the backward half alone). Init: embeddings N(0, 1),
// all else as its layer. With luong and input_feeding W_c has no bias, as in eq. 5.
struct RecurrentSeq2Seq : Seq2Seq {
  enum class Values { states, embeddings };
  struct Options {
    int64_t source_vocabulary = 0;
    int64_t target_vocabulary = 0;
    Cell cell = Cell::gru;
    int64_t embed = 32;
    int64_t hidden = 64;  // H, of the decoder
    int64_t encoder = 0;  // E, of the encoder in each direction; 0: H / 2
    int64_t layers = 1;   // of either
    std::string scorer = "additive";
    std::string normalizer = "softmax";
    DecoderOrder order = DecoderOrder::luong;
    Values values = Values::states;
    real dropout = 0;  // on embeddings, between layers, on the attentional vector
  };

  // Throws on sizes below 1, an odd H when E = 0, and whatever the scorer objects to.
  RecurrentSeq2Seq(const Options& options, Rng& rng);

  Prediction operator()(const Ids& source, std::span<const int32_t> lengths, const Ids& target,
                        const Pass& pass) const override;
  [[nodiscard]] DecoderState start(const Ids& source, std::span<const int32_t> lengths) const override;
  Prediction step(DecoderState& state, const Ids& previous) const override;
  void visit(const Visitor& visitor) const override;

 private:
  // DecoderState: one memory, the source; tensors: the state of each layer, then a_(t-1) if it is fed.
  [[nodiscard]] DecoderState encode(const Ids& source, std::span<const int32_t> lengths,
                                    const Pass& pass) const;
  struct Step {
    Tensor attentional;  // a_t (B, H)
    Tensor weights;      // (B, S)
  };
  // One step of the decoder, fed y (B, embed).
  Step advance(DecoderState& state, const Tensor& y, const Pass& pass) const;
  // Attention onto the source: query (B, T, H), or (B, H).
  Attended look(const Tensor& query, DecoderState& state, const Pass& pass) const;
  // a = tanh(W_c [context; h]), with dropout.
  [[nodiscard]] Tensor readout(const Tensor& context, const Tensor& h, const Pass& pass) const;
  [[nodiscard]] int64_t value_size() const;
  [[nodiscard]] int64_t decoder_input() const;

  Options options_;
  Dropout dropout_;
  Embedding source_embedding_, target_embedding_;
  Recurrent encoder_, decoder_;
  std::vector<Linear> bridges_;
  std::unique_ptr<Scorer> scorer_;
  std::unique_ptr<Normalizer> normalizer_;
  Linear attentional_, output_;
};

}  // namespace heed::inline HEED_PRECISION
