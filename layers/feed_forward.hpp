#pragma once

#include "layers/dropout.hpp"
#include "layers/linear.hpp"

namespace heed::inline HEED_PRECISION {

// swiglu takes two halves u, g of what it is given and makes u silu(g) of them (Shazeer 2020, eq. 6).
enum class Activation { relu, gelu, silu, tanh, swiglu };
Tensor activate(Activation activation, const Tensor& x);

// y = W_2 dropout(f(W_1 x + b_1)) + b_2, at each position alone: (..., D) -> (..., D), through `inner`
// features (Vaswani et al. 2017, eq. 2), for swiglu W_1 makes twice as many. Parameters `linear1`, `linear2`
// as in torch.nn.TransformerEncoderLayer. Init: Linear's.
struct FeedForward : Module {
  FeedForward(int64_t size, int64_t inner, Activation activation, real dropout, Rng& rng, bool bias = true);

  Tensor operator()(const Tensor& x, const Pass& pass) const;
  void visit(const Visitor& visitor) const override;

  Linear linear1, linear2;
  Activation activation;
  Dropout dropout;
};

}  // namespace heed::inline HEED_PRECISION
