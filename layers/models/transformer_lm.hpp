#pragma once

#include "layers/models/seq2seq.hpp"
#include "layers/token_input.hpp"
#include "layers/transformer_blocks.hpp"

namespace heed::inline HEED_PRECISION {

// p(x_(t+1) | x_1 .. x_t) by self-attention alone: embedding + positions, causal pre-norm blocks, a last
// norm, logits (Radford et al. 2019, section 2.3: GPT-2, whose shape the defaults are; it has biases and an
// untied output only on request). Each token attends to its own past, which is the only Memory here.
// Parameters: embedding, positions, layers.0. ..., norm, output. Init, as GPT-2: N(0, 0.02^2), the maps that
// end a branch (out_proj, linear2) divided by sqrt(2 layers); biases 0, norms 1.
struct TransformerLM : Autoregressive {
  struct Options {
    int64_t vocabulary = 0;
    int64_t size = 128;  // D
    int64_t layers = 4;
    int64_t heads = 4;
    int64_t kv_heads = 0;  // 0: as many as heads
    int64_t inner = 0;     // 0: TransformerBlock::Options's
    Activation activation = Activation::gelu;
    NormKind norm = NormKind::layer;
    bool bias = true;
    std::string positions = "learned";  // one of known_positions()
    int64_t longest = 64;               // sequence, of learned positions
    int64_t reach = 16;                 // of relative positions
    bool tied = true;                   // the output's weight is the embedding's (Press & Wolf 2017)
    real dropout = 0;                   // on the inputs and in the blocks (TransformerBlock::Options)
  };
  // Throws on sizes below 1, and what the layers throw.
  TransformerLM(const Options& options, Rng& rng);

  // tokens (B, T) -> logits (B, T, V): [b, t] predicts what follows tokens[b, t]. `weights`, where given,
  // receives those of the last block (B, H, T, T), without a graph.
  Tensor operator()(const Ids& tokens, const Pass& pass, Tensor* weights = nullptr) const;
  // Token after token: the state before the first; then so many tokens (B, T) at once, T at least 1, a
  // prompt, whose last gives the logits (B, V). `step` takes one token (B). Both append to what the state
  // holds of each block, and attend to that: the cost of a step grows with the length, not with its square.
  [[nodiscard]] DecoderState start() const;
  Prediction extend(DecoderState& state, const Ids& tokens) const;
  Prediction step(DecoderState& state, const Ids& previous) const override;
  void visit(const Visitor& visitor) const override;

  // DecoderState: memories: the past of each block.
  TokenInput input;
  TransformerBlocks stack;
  Linear output;
};

}  // namespace heed::inline HEED_PRECISION
