#pragma once

#include <memory>
#include <string>

#include "layers/attention.hpp"
#include "layers/coverage.hpp"
#include "layers/embedding.hpp"
#include "layers/linear.hpp"
#include "layers/models/seq2seq.hpp"
#include "layers/recurrent.hpp"

namespace heed::inline HEED_PRECISION {

// An encoder-decoder that may copy words of its source, those among them that its vocabulary lacks (See, Liu
// & Manning 2017, section 2). Per step, s_t the decoder's state, x_t its embedded input:
//   a_t, c_t  = attention of s_t onto the encoder's states h_s                                 eq. 1 to 3
//   P_vocab   = softmax(V' (V [s_t; c_t] + b) + b')                                            eq. 4
//   p_gen     = sigmoid(w_h . c_t + w_s . s_t + w_x . x_t + b_ptr)                             eq. 8
//   P(w)      = p_gen P_vocab(w) + (1 - p_gen) sum over s with w_s = w of a_ts                 eq. 9
// With coverage, what earlier steps saw enters the keys (eq. 10 and 11; layers/coverage.hpp); add
// coverage_loss(weights) to the loss (eq. 12 and 13).
//
// Words: source and target share one vocabulary of V tokens. A word that it lacks has a temporary id, V for
// the first such word of a source, V + 1 for the next, the same in its target: the caller numbers them anew
// for each pair, up to `extended` of them. The net reads each as `unk`, generates none, and copies each as
// itself: logits = log P (B, T, V + extended), the logarithm of the smallest normal number where P = 0, so
// that losses and decoding of any Seq2Seq serve it. unk, bos and all else are words as any other.
//
// Memory: keys and values = the encoder's states (B, S, 2E), an LSTM in both directions, E = H / 2. Neither
// the context nor the weights enter the recurrence, so that all s_t are one recurrent op. The decoder begins
// at tanh(W_b [last forward h; last backward h] + b). Init: embeddings N(0, 1), all else as its layer.
// Deviations: any scorer and normalizer may stand in
// the place of eq. 1 and 2; x_t is the embedding alone (eq. 8 as printed); b_attn of eq. 1 is missing, as in
// Additive.
struct PointerGenerator : Seq2Seq {
  struct Options {
    int64_t vocabulary = 0;  // V
    int64_t extended = 0;    // the most temporary ids
    Cell cell = Cell::lstm;
    int64_t embed = 32;
    int64_t hidden = 64;  // H
    std::string scorer = "additive";
    std::string normalizer = "softmax";
    int64_t slots = 0;  // the most source words, of a scorer with parameters per slot
    bool coverage = false;
    bool pointer = true;  // false: p_gen = 1, the same net without it; P of every temporary id is 0
  };

  // Throws on sizes below 1, an odd H, a negative `extended`, whatever scorer and normalizer object to, a
  // normalizer that wants a reward (copying is learned through the weights), and coverage where the scorer
  // reads no keys.
  PointerGenerator(const Options& options, Rng& rng);

  Prediction operator()(const Ids& source, std::span<const int32_t> lengths, const Ids& target,
                        const Pass& pass) const override;
  [[nodiscard]] DecoderState start(const Ids& source, std::span<const int32_t> lengths) const override;
  Prediction step(DecoderState& state, const Ids& previous) const override;
  void visit(const Visitor& visitor) const override;

  // p_gen (B, T, 1) from contexts (B, T, 2E), states (B, T, H) and inputs (B, T, embed).
  [[nodiscard]] Tensor generates(const Tensor& context, const Tensor& s, const Tensor& x) const;

 private:
  // DecoderState: one memory, the source; tensors: the decoder's state; source: its ids.
  // Embeds words, a temporary id as unk; throws on ids outside [0, V + extended).
  [[nodiscard]] Tensor read(const Ids& ids) const;
  // Attention of s (B, T, H) onto the source; one step at a time where there is coverage.
  Attended look(const Tensor& s, DecoderState& state, const Pass& pass) const;
  // log P (B, T, V + extended).
  [[nodiscard]] Tensor mix(const Attended& seen, const Tensor& s, const Tensor& x, const Ids& source) const;

  Options options_;
  Embedding embedding_;
  Recurrent encoder_, decoder_;
  Linear bridge_;
  std::unique_ptr<Scorer> scorer_;
  std::unique_ptr<Normalizer> normalizer_;
  std::unique_ptr<Coverage> coverage_;  // null: without
  Linear inner_, output_;               // V and V' of eq. 4
  std::unique_ptr<Linear> generates_;   // w_h | w_s | w_x, b_ptr of eq. 8; null: without a pointer
};

}  // namespace heed::inline HEED_PRECISION
