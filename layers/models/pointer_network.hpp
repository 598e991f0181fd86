#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "layers/attention.hpp"
#include "layers/models/seq2seq.hpp"
#include "layers/recurrent.hpp"

namespace heed::inline HEED_PRECISION {

// Answers with positions of its input: the attention weights ARE the output distribution, so that there are
// as many answers as there are items (Vinyals, Fortunato & Jaitly 2015, section 2.3, eq. 3):
//   e_1 .. e_S = LSTM(x_1 .. x_S)                       the encoder over the items x_s (I)
//   d_t = LSTM(x_(C_(t-1)), d_(t-1))                    the decoder, fed the item that was pointed at
//   u_ts = v . tanh(W1 e_s + W2 d_t)                    any scorer
//   p(C_t = s | C_1 .. C_(t-1), x) = softmax_s(u_t)     or any normalizer that leaves no slot out
// Memory: keys = e_s, values = x_s; the context, the item that is expected, is not used. The decoder begins
// at the encoder's last state, and its first input is `begin` (I), the paper's "=>". Nothing ends the answer:
// it has as many positions as its caller asks for. Init: begin U(-1/sqrt(I), 1/sqrt(I)), all else as its
// layer.
//
// Letters: B batch, S items, T positions in the answer, I features of an item. A position is in [0, S); -1
// stands for `begin`, and fills up rows.
struct PointerNetwork : Module {
  struct Options {
    int64_t item = 1;  // I
    int64_t hidden = 64;
    std::string scorer = "additive";
    std::string normalizer = "softmax";
    int64_t slots = 0;  // the most items, of a scorer with parameters per slot
  };

  // Throws on sizes below 1, whatever scorer and normalizer object to, and a normalizer that gives weights of
  // 0: where the right item has none, -log of it teaches nothing.
  PointerNetwork(const Options& options, Rng& rng) : PointerNetwork(options, nullptr, rng) {}
  // The same with a scorer of one's own, for queries and keys of H features.
  PointerNetwork(const Options& options, std::unique_ptr<Scorer> scorer, Rng& rng);

  // p(C_t | C_1 .. C_(t-1), x) for all t at once, each given the true positions before it: items (B, S, I),
  // lengths (B), answer (B, T) -> weights (B, T, S). alignment_loss(weights, answer) is the loss.
  [[nodiscard]] Tensor operator()(const Tensor& items, std::span<const int32_t> lengths, const Ids& answer,
                                  const Pass& pass = {}) const;
  // The same step by step: the state before the first position; then the position chosen last (B), -1 at
  // first -> weights (B, S). Of DecoderState: one memory, the items; tensors: d, begin and items (B, 1 + S,
  // I).
  [[nodiscard]] DecoderState start(const Tensor& items, std::span<const int32_t> lengths) const;
  Tensor step(DecoderState& state, const Ids& previous) const;
  // Points `steps` times at the likeliest item, without a graph -> (B, steps). once: no item a second time
  // (the paper hides what makes no valid answer); after a row's last item its positions mean nothing.
  [[nodiscard]] Ids greedy(const Tensor& items, std::span<const int32_t> lengths, int64_t steps,
                           bool once = false) const;
  void visit(const Visitor& visitor) const override;

 private:
  Options options_;
  Tensor begin_;
  Recurrent encoder_, decoder_;
  std::unique_ptr<Scorer> scorer_;
  std::unique_ptr<Normalizer> normalizer_;
};

}  // namespace heed::inline HEED_PRECISION
