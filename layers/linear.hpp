#pragma once

#include "layers/module.hpp"

namespace heed::inline HEED_PRECISION {

// y = x W^T + b: (..., I) -> (..., O), with `weight` (O, I) and `bias` (O) as in torch.nn.Linear.
// Init: both U(-1/sqrt(I), 1/sqrt(I)). Throws on a size below 1.
struct Linear : Module {
  struct Options {
    bool bias = true;
  };
  Linear(int64_t in, int64_t out, Rng& rng, Options options);
  Linear(int64_t in, int64_t out, Rng& rng) : Linear(in, out, rng, Options{}) {}

  Tensor operator()(const Tensor& x) const;
  void visit(const Visitor& visitor) const override;

  Tensor weight, bias;
};

}  // namespace heed::inline HEED_PRECISION
