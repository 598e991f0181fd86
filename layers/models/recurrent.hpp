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
// the context, a_t = tanh(W_c [c_t; s_t]) the attentional vector; logits = W_o a_t in all of them.
enum class DecoderOrder {
  // Query = the current state, context to the output alone: s_t = f(y_t, s_(t-1)), c_t = attend(s_t). The
  // recurrence waits for no context, so that the whole target is one recurrent op and one attend; and the
  // context is fed back into no state, so that no symbol can be fetched a step early and carried along.
  luong,
  // The query of the one below, the context of the one above: c_t = attend(s_(t-1)), and s_t = f(y_t,
  // s_(t-1))
  // does not wait for it. It has to know where to look before it is told y_t. No paper's: what tells apart,
  // between luong and bahdanau, which state asks and where the answer goes.
  previous,
  // Luong et al. 2015, section 3.3: s_t = f([y_t; a_(t-1)], s_(t-1)), c_t = attend(s_t).
  input_feeding,
  // Bahdanau et al. 2014, section 3: c_t = attend(s_(t-1)), s_t = f([y_t; c_t], s_(t-1)). The context
  // feeds the state, which can carry a symbol for a step: the weights may run ahead of the output.
  bahdanau,
  // No attention: c_t = s_0 of the top layer, all that is known of the source, s_t = f([y_t; c_t], s_(t-1)).
  // Prediction::weights are undefined.
  none,
};

// An RNN encoder, a memory of its states, and an RNN decoder that attends to it (Bahdanau et al. 2014; Luong
// et al. 2015). Encoder: embedding, Recurrent in both directions or one. Memory: keys = its states (B, S, 2E
// or E), values = the same or the source embeddings. The decoder begins at tanh(W_b [last forward; last
// backward h] + b), one bridge W_b per layer (Bahdanau's A.2.2 takes the backward half alone), or without
// bridges in these last states themselves. Init: embeddings N(0, 1), all else as its layer. Only with
// bahdanau W_c has a bias: eq. 5 of Luong et al. has none.
//
// own_past adds a second Memory, the decoder's own states s_1 .. s_(t-1), keys and values, asked by s_t
// through a scorer and a normalizer of its own, of the same names as the source's: d_t = attend(s_t), 0 at
// the first step, and a_t = tanh(W_c [c_t; d_t; s_t]). The idea is target-target attention's (Xia et al.
// 2017), the parametrisation ours.
struct RecurrentSeq2Seq : Seq2Seq {
  enum class Values { states, embeddings };
  struct Options {
    int64_t source_vocabulary = 0;
    int64_t target_vocabulary = 0;
    Cell cell = Cell::gru;
    int64_t embed = 32;
    int64_t hidden = 64;  // H, of the decoder
    int64_t encoder = 0;  // E, of the encoder in each direction; 0: H / 2, in one direction H
    int64_t layers = 1;   // of either
    std::string scorer = "additive";
    std::string normalizer = "softmax";
    real temperature = 1;  // of the normalizer, if it has one
    int64_t window = 2;    // of local attention: slots to either side
    DecoderOrder order = DecoderOrder::luong;
    Values values = Values::states;
    real dropout = 0;  // on embeddings, between layers, on the attentional vector
    bool bidirectional = true;
    bool bridge = true;  // false: E (2E if bidirectional) must be H
    bool own_past = false;
    int64_t slots = 0;  // the most source (and own past) tokens, for a scorer with parameters per slot
  };

  // Throws on sizes below 1, an odd H when E = 0, another H than the encoder's without a bridge, and
  // whatever scorer and normalizer object to; with own_past also where these do not go with a
  // memory that grows, or want a reward: of a look at the past nobody knows what it was worth.
  RecurrentSeq2Seq(const Options& options, Rng& rng);

  Prediction operator()(const Ids& source, std::span<const int32_t> lengths, const Ids& target,
                        const Pass& pass) const override;
  [[nodiscard]] DecoderState start(const Ids& source, std::span<const int32_t> lengths) const override;
  Prediction step(DecoderState& state, const Ids& previous) const override;
  void visit(const Visitor& visitor) const override;

  // The two halves of a prediction: source (B, S) -> (B, S, embed), and the rest. What lies between may be
  // made a leaf (`detach().requires_grad()`): its gradient tells what the predictions owe to each source
  // position.
  [[nodiscard]] Tensor embed_source(const Ids& source) const { return source_embedding_(source); }
  [[nodiscard]] Prediction from_embedded(const Tensor& embedded, std::span<const int32_t> lengths,
                                         const Ids& target, const Pass& pass) const;

 private:
  // DecoderState: memories: the source (none: one slot, the context of every step), then the own past, if
  // wanted; tensors: the state of each layer, then a_(t-1) if it is fed.
  [[nodiscard]] DecoderState encode(const Tensor& source, std::span<const int32_t> lengths,
                                    const Pass& pass) const;
  struct Step {
    Tensor attentional;  // a_t (B, H)
    Attended seen;       // weights and probabilities (B, S)
  };
  // One step of the decoder, fed y (B, embed).
  Step advance(DecoderState& state, const Tensor& y, const Pass& pass) const;
  // What a query (B, T, H), or (B, H), gets of the source: by attention, or with none the one slot.
  Attended look(const Tensor& query, DecoderState& state, const Pass& pass) const;
  // Attention onto the own past: of all states h (B, T, H), or of the next one (B, H), which joins the past.
  Tensor look_back(const Tensor& h, DecoderState& state, const Pass& pass) const;
  // a = tanh(W_c [context; d; h]), with dropout.
  Tensor readout(const Tensor& context, const Tensor& h, DecoderState& state, const Pass& pass) const;
  [[nodiscard]] Recurrent::States layer_states(const DecoderState& state) const;
  [[nodiscard]] std::unique_ptr<Scorer> make_source_scorer(Rng& rng) const;  // null with none
  [[nodiscard]] std::unique_ptr<Scorer> make_past_scorer(Rng& rng) const;    // null without own_past
  [[nodiscard]] std::unique_ptr<Normalizer> make_own_normalizer(Rng& rng) const;
  [[nodiscard]] int64_t encoder_size() const;  // 2E or E
  [[nodiscard]] int64_t context_size() const;
  [[nodiscard]] int64_t decoder_input() const;

  Options options_;
  Dropout dropout_;
  Embedding source_embedding_, target_embedding_;
  Recurrent encoder_, decoder_;
  std::vector<Linear> bridges_;
  std::unique_ptr<Scorer> scorer_;
  std::unique_ptr<Normalizer> normalizer_;
  std::unique_ptr<Scorer> past_scorer_;
  std::unique_ptr<Normalizer> past_normalizer_;
  Linear attentional_, output_;
};

// The model of Luong et al. 2015 in the sizes of `o` and with its scorer (sections 3.1 to 3.3): stacked LSTMs
// in one direction, the decoder beginning where the encoder ends; the current state asks; a_t by eq. 5, fed
// to the next step. dot, bilinear (their general), concat and location are their scorers. Paper's sizes:
// layers 4, embed and hidden 1000, dropout 0.2. Deviations: biases of torch.nn.LSTM and of the output,
// embeddings N(0, 1), where the paper begins everything with U(-0.1, 0.1); it turns sources round, which is
// the caller's.
RecurrentSeq2Seq::Options luong2015(RecurrentSeq2Seq::Options o);

}  // namespace heed::inline HEED_PRECISION
