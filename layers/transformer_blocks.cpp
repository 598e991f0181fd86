#include "layers/transformer_blocks.hpp"

#include "autograd/error.hpp"

namespace heed::inline HEED_PRECISION {

TransformerBlocks::TransformerBlocks(int64_t size, int64_t layers, const TransformerBlock::Options& options,
                                     Rng& rng) {
  if (size < 1 || layers < 1 || options.inner < 0) {
    fail("TransformerBlocks: size {}, layers {}, inner {}: wants at least 1, 1, 0", size, layers,
         options.inner);
  }
  for (int64_t i = 0; i < layers; ++i) this->layers.emplace_back(size, options, rng);
  if (options.pre_norm) norm.emplace(options.norm, size, options.bias);
}

Tensor TransformerBlocks::operator()(Tensor x, const Mask& mask, std::span<const Memory> sources,
                                     const Pass& pass, Tensor* weights) const {
  for (size_t i = 0; i < layers.size(); ++i) {
    const bool last = i + 1 == layers.size();
    x = layers[i](x, mask, i < sources.size() ? &sources[i] : nullptr, pass, last ? weights : nullptr);
  }
  return norm ? (*norm)(x) : x;
}

Tensor TransformerBlocks::extend(Tensor x, std::span<Memory> pasts, std::span<const Memory> sources,
                                 Tensor* weights) const {
  if (pasts.size() != layers.size()) {
    fail("TransformerBlocks: {} pasts for {} layers", pasts.size(), layers.size());
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    const bool last = i + 1 == layers.size();
    x = layers[i].extend(x, pasts[i], i < sources.size() ? &sources[i] : nullptr, {},
                         last ? weights : nullptr);
  }
  return norm ? (*norm)(x) : x;
}

PoolVector<Memory> TransformerBlocks::prepare(const Memory& source) const {
  PoolVector<Memory> memories;
  for (const TransformerBlock& block : layers) memories.push_back(block.prepare(source));
  return memories;
}

void TransformerBlocks::visit(const Visitor& visitor) const {
  for (size_t i = 0; i < layers.size(); ++i) visitor("layers." + std::to_string(i), layers[i]);
  if (norm) visitor("norm", *norm);
}

}  // namespace heed::inline HEED_PRECISION
