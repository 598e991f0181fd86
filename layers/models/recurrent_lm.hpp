#pragma once

#include <memory>
#include <optional>
#include <string>

#include "layers/embedding.hpp"
#include "layers/linear.hpp"
#include "layers/models/intra_attention.hpp"
#include "layers/models/seq2seq.hpp"

namespace heed::inline HEED_PRECISION {

// How a language model looks back, and which parts of its state h_t (H features) are key, value and
// prediction (Daniluk et al. 2017, sections 2.1 to 2.4). Memory: its own past; i runs over t - L .. t - 1.
// h_i is what the LSTM puts out at step i; their "outputs" are these. `outputs` takes the word as it may be
// taken too: what the model made of h_i, with its own look at what was before, is looked at in turn.
enum class LookBack {
  nothing,            // an LSTM: logits = W* h_t + b*
  states,             // 2.1: keys, values and query are all of h
  outputs,            // keys and values are the h*_i below in the place of h_i; the query is h_t
  key_value,          // 2.2: h = k | v; keys and query k, values and prediction v
  key_value_predict,  // 2.3: h = k | v | p; the prediction has a part of its own
  ngram,              // 2.4: no attention: h = h^1 | .. | h^(N-1), and h^i is used i - 1 steps later
  intra,              // LSTMN (intra_attention.hpp) in the place of the LSTM; logits = W* h_t + b*
};

// p(x_(t+1) | x_1 .. x_t): an LSTM over embedded tokens, and where it looks back, with k, v, p as above:
//   a_i = w . tanh(W^Y k_i + W^h k_t),   r_t = sum_i softmax(a)_i v_i,   h*_t = tanh(W^r r_t + W^x p_t)
//   ngram: h*_t = tanh(W^N [h^1_t; h^2_(t-1); ..; h^(N-1)_(t-N+2)])
//   logits = W* h*_t + b*
// The first token sees no past: r = 0. No state of the LSTM depends on r, so the whole sequence is one
// recurrent op and, but for `outputs`, one attend under a causal mask of offset -1. Any scorer and normalizer
// may stand in the place of those of the formula. Names: W^Y, W^h, w are the Additive scorer's `key`,
// `query`, `v`; `context` W^r, `predict` W^x, `ngram` W^N, `output` W*, b*. Init: as their layers.
struct RecurrentLM : Autoregressive {
  struct Options {
    int64_t vocabulary = 0;
    LookBack look = LookBack::key_value;
    int64_t embed = 32;
    int64_t hidden = 48;              // H, a multiple of the number of parts
    int64_t window = 0;               // L: how many steps attention reaches back; 0: all (of intra always)
    int64_t ngram = 4;                // N
    std::string scorer = "additive";  // of all that attend
    std::string normalizer = "softmax";
    int64_t slots = 0;  // the most tokens (or L), of a scorer with parameters per slot
  };
  // Throws on sizes below 1, H that cannot be parted evenly, N below 2; where it attends, on what scorer and
  // normalizer object to, on a normalizer that does not go with a memory that grows or wants a reward, and on
  // one with a window of its own if there is an L.
  RecurrentLM(const Options& options, Rng& rng);

  // tokens (B, T) -> logits (B, T, V): [b, t] predicts what follows tokens[b, t]. Weights where there is
  // attention: (B, T, T) onto the steps before, or with a window (B, T, L), the last column the step before.
  Prediction operator()(const Ids& tokens, const Pass& pass = {}) const;
  // The same step by step: the state before the first token, then one token (B) at a time. Weights (B,
  // slots), with a window (B, L), undefined at the first step.
  [[nodiscard]] DecoderState start(int64_t batch) const;
  Prediction step(DecoderState& state, const Ids& token) const override;
  void visit(const Visitor& visitor) const override;

 private:
  // DecoderState: memories: the past, if attended to; tensors: the state of the LSTM (of intra: its context),
  // then, of ngram, the last N - 2 outputs, the latest first.
  struct Parts {
    Tensor key, value, predict;
  };
  [[nodiscard]] Parts part(const Tensor& h) const;
  [[nodiscard]] Attended look_at_window(const Tensor& query, const Memory& past, const Pass& pass) const;
  // h* from r and p.
  [[nodiscard]] Tensor combine(const Tensor& context, const Tensor& predict) const;
  // One step: what it saw, and h* (B, ...) from h (B, H); the memory gets its next slot.
  struct Look {
    Tensor output, weights;
  };
  Look look_step(DecoderState& state, const Tensor& h, const Pass& pass) const;
  // The same for all steps of h (B, T, H), one after the other.
  [[nodiscard]] Look look_in_turn(const Tensor& h, const Pass& pass) const;
  [[nodiscard]] bool attends() const;
  [[nodiscard]] int64_t part_size() const;

  Options options_;
  Embedding embedding_;
  std::optional<Recurrent> lstm_;        // all but intra
  std::optional<IntraAttention> intra_;  // intra alone
  std::unique_ptr<Scorer> scorer_;       // of those that attend to their past, but intra
  std::unique_ptr<Normalizer> normalizer_;
  std::optional<Linear> context_, predict_, ngram_;
  std::optional<Linear> output_;
};

}  // namespace heed::inline HEED_PRECISION
