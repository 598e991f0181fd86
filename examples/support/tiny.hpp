#pragma once

#include <memory>
#include <string>

#include "layers/attention.hpp"
#include "layers/embedding.hpp"
#include "layers/hard.hpp"
#include "layers/linear.hpp"
#include "layers/recurrent.hpp"

namespace heed::examples {

// The smallest encoder-decoder that attends, all of it open to look at: sources of 3 symbols out of 4, which
// it learns to copy. Encoder: embedding, GRU. Decoder, in Luong's order: s_t = GRU(y_t, s_(t-1)) from the
// encoder's last state on; c_t = attend(s_t, the encoder's states); logits = W [c_t; s_t] + b.
struct Tiny : Module {
  static constexpr int64_t symbols = 4, begin = symbols;  // fed before the first symbol
  static constexpr int64_t slots = 3, size = 3;           // S; features of everything else
  static constexpr int64_t window = 1;                    // D of local attention: 2 would show all slots

  Tiny(const std::string& scorer, const std::string& normalizer, Rng& rng);

  // Ids (B, S), the states of the decoder fed begin y_1 .. y_(S-1): (B, S, H).
  struct States {
    Tensor encoder, decoder;
  };
  [[nodiscard]] States run(const Ids& source) const;
  [[nodiscard]] Tensor logits(const Tensor& context, const Tensor& state) const;
  // -log p(y_t), the mean over the batch and its time steps. Where the weights were drawn and have no
  // gradient, with `reinforce` of the reward log p(y_t): in this decoder no other symbol depends on the draw.
  [[nodiscard]] Tensor loss(const Ids& source, const Pass& pass, ReinforceLoss& reinforce) const;
  void visit(const Visitor& visitor) const override;

  Embedding source_embedding, target_embedding;
  Recurrent encoder, decoder;
  std::unique_ptr<Scorer> scorer;
  std::unique_ptr<Normalizer> normalizer;
  Linear output;
};

// A Tiny after `steps` steps of Adam on all 64 sources. Returns the share of symbols that it then gets right.
double train(const Tiny& tiny, int64_t steps, int64_t seed);

}  // namespace heed::examples
