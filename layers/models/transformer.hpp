#pragma once

#include "layers/models/encoder_decoder.hpp"
#include "layers/token_input.hpp"
#include "layers/transformer_blocks.hpp"

// The Transformer (Vaswani et al. 2017, figure 1): blocks of self-attention over the source; blocks of causal
// self-attention over the target, each with a second attention onto what the encoder gave.

namespace heed::inline HEED_PRECISION {

// Of both halves.
struct TransformerOptions {
  int64_t source_vocabulary = 0;  // read by the encoder
  int64_t target_vocabulary = 0;  // read by the decoder
  int64_t size = 64;              // D
  int64_t memory = 0;             // features of what the decoder attends to; 0: D
  int64_t layers = 2;
  int64_t heads = 4;
  int64_t kv_heads = 0;  // 0: as many as heads
  int64_t inner = 0;     // of the feed-forward networks; 0: TransformerBlock::Options's
  Activation activation = Activation::relu;
  NormKind norm = NormKind::layer;
  bool pre_norm = true;
  std::string positions = "sinusoidal";  // one of known_positions()
  int64_t longest = 64;                  // sequence, of learned positions
  int64_t reach = 16;                    // of relative positions
  bool tied = false;  // the output's weight is the target embedding's (Press & Wolf 2017); of a decoder
  real dropout = 0;   // on the inputs and in the blocks (TransformerBlock::Options)
};

// Input: embedding sqrt(D) + positions, dropout; then the stack. Parameters: input, then as
// torch.nn.TransformerEncoder: layers.0.self_attn.in_proj_weight, ..., norm.weight. Init: embeddings
// N(0, 1/D), so that times sqrt(D) they have variance 1; the feed-forward matrices Xavier uniform with bias
// 0; all else as its layer.
struct TransformerEncoder : Encoder {
  TransformerEncoder(const TransformerOptions& options,
                     Rng& rng);  // throws on sizes below 1 and what layers throw

  Memory operator()(const Ids& source, std::span<const int32_t> lengths, const Pass& pass) const override;
  [[nodiscard]] int64_t size() const override { return input.embedding.weight.size(1); }
  void visit(const Visitor& visitor) const override;

  TokenInput input;
  TransformerBlocks stack;
};

// The same with a causal stack that attends to a source (B, S, D) too, or, where it has other features, to a
// linear map of it, `bridge`; `output` gives the logits. Prediction's weights are the last block's onto the
// source, averaged over heads; not computed in training.
struct TransformerDecoder : Decoder {
  TransformerDecoder(const TransformerOptions& options, Rng& rng);

  Prediction operator()(const Memory& source, const Ids& target, const Pass& pass) const override;
  [[nodiscard]] DecoderState start(const Memory& source) const override;
  Prediction step(DecoderState& state, const Ids& previous) const override;
  void visit(const Visitor& visitor) const override;

  // DecoderState: memories: the source for each block, then the past of each. No tensors.
  TokenInput input;
  std::optional<Linear> bridge;
  TransformerBlocks stack;
  Linear output;

 private:
  [[nodiscard]] PoolVector<Memory> prepare(const Memory& source) const;
};

// The two.
struct TransformerSeq2Seq : EncoderDecoder {
  using Options = TransformerOptions;
  TransformerSeq2Seq(const Options& options, Rng& rng);
};

}  // namespace heed::inline HEED_PRECISION
