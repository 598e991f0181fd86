#pragma once

#include "layers/embedding.hpp"
#include "layers/models/seq2seq.hpp"
#include "layers/transformer_block.hpp"

namespace heed::inline HEED_PRECISION {

// The Transformer (Vaswani et al. 2017, figure 1): blocks of self-attention over the source; blocks of causal
// self-attention over the target, each with a second attention onto the encoder's output. Input: embedding
// sqrt(D) + sinusoidal positions, dropout. Pre-norm, the default, ends either stack with a norm. Prediction::
// weights: the last block's attention onto the source, averaged over heads; not computed in training.
// Parameters as torch.nn.Transformer's: encoder.layers.0.self_attn.in_proj_weight, ..., encoder.norm.weight.
// Init: embeddings N(0, 1/D), so that times sqrt(D) they have variance 1; the feed-forward matrices Xavier
// uniform with bias 0; all else as its layer.
struct TransformerSeq2Seq : Seq2Seq {
  struct Options {
    int64_t source_vocabulary = 0;
    int64_t target_vocabulary = 0;
    int64_t size = 64;   // D
    int64_t layers = 2;  // of the encoder and of the decoder
    int64_t heads = 4;
    int64_t inner = 0;  // of the feed-forward networks; 0: 4 D
    Activation activation = Activation::relu;
    bool pre_norm = true;
    bool tied = false;  // the output's weight is the target embedding's (Press & Wolf 2017)
    real dropout = 0;   // on the inputs and in the blocks (TransformerBlock::Options)
  };

  // Throws on sizes below 1 and unless heads divide the size.
  TransformerSeq2Seq(const Options& options, Rng& rng);

  Prediction operator()(const Ids& source, std::span<const int32_t> lengths, const Ids& target,
                        const Pass& pass) const override;
  [[nodiscard]] DecoderState start(const Ids& source, std::span<const int32_t> lengths) const override;
  Prediction step(DecoderState& state, const Ids& previous) const override;
  void visit(const Visitor& visitor) const override;

 private:
  // DecoderState: memories: the source for each decoder block, then the past of each. No tensors.
  [[nodiscard]] PoolVector<Memory> encode(const Ids& source, std::span<const int32_t> lengths,
                                          const Pass& pass) const;
  [[nodiscard]] Tensor embed(const Embedding& table, const Ids& ids, int64_t first, const Pass& pass) const;
  [[nodiscard]] Tensor readout(const Tensor& x) const;

  Options options_;
  Dropout dropout_;
  Embedding source_embedding_, target_embedding_;
  std::vector<TransformerBlock> encoder_, decoder_;
  std::optional<LayerNorm> encoder_norm_, decoder_norm_;
  Linear output_;
};

}  // namespace heed::inline HEED_PRECISION
