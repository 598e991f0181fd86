#pragma once

#include "layers/stack.hpp"
#include "layers/transformer_blocks.hpp"

namespace heed::inline HEED_PRECISION {

// Self-attention as a stack of layers: positions, then a TransformerBlocks over all slots or, causal, over
// those up to each. What ConvStack is to convolutions. Parameters: as TransformerBlocks, and `positions`,
// where they act on inputs and have some.
struct SelfAttention : Stack {
  struct Options {
    int64_t size = 64;  // D
    int64_t layers = 2;
    bool causal = false;
    int64_t longest = 64;             // sequence, of learned positions
    TransformerBlock::Options block;  // its positions may act on inputs too
  };
  SelfAttention(const Options& options, Rng& rng);

  Tensor operator()(const Tensor& x, const Mask& mask, const Pass& pass) const override;
  [[nodiscard]] int64_t size() const override { return size_; }
  void visit(const Visitor& visitor) const override;

  std::unique_ptr<Positions> positions;  // on inputs; null: none
  TransformerBlocks stack;

 private:
  int64_t size_;
  bool causal_;
};

}  // namespace heed::inline HEED_PRECISION
