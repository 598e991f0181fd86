#pragma once

#include <span>
#include <vector>

#include "layers/transformer_block.hpp"

namespace heed::inline HEED_PRECISION {

// Blocks one on another, after pre-norm blocks a last norm (Xiong et al. 2020): encoders, decoders, language
// models. Parameters as torch.nn.TransformerEncoder: layers.0. ..., norm.
struct TransformerBlocks : Module {
  // Throws unless size and layers are at least 1, and what the blocks throw.
  TransformerBlocks(int64_t size, int64_t layers, const TransformerBlock::Options& options, Rng& rng);

  // x (B, T, D) -> (B, T, D). `mask` is over x's own slots. `sources`, as prepared, has a memory for each
  // block whose options have a source. `weights`, where given, receives those of the last block
  // (TransformerBlock).
  Tensor operator()(Tensor x, const Mask& mask, std::span<const Memory> sources, const Pass& pass,
                    Tensor* weights = nullptr) const;
  // The causal stack piece by piece: `pasts` has a memory for each block, which grows by x's slots.
  Tensor extend(Tensor x, std::span<Memory> pasts, std::span<const Memory> sources,
                Tensor* weights = nullptr) const;
  // A source (B, S, D), for the second attention of each block.
  [[nodiscard]] PoolVector<Memory> prepare(const Memory& source) const;
  void visit(const Visitor& visitor) const override;

  std::vector<TransformerBlock> layers;
  std::optional<Norm> norm;
};

}  // namespace heed::inline HEED_PRECISION
