#pragma once

#include "layers/module.hpp"

namespace heed::inline HEED_PRECISION {

// In training each element becomes 0 with probability p, else x / (1 - p); in evaluation y = x (Srivastava et
// al. 2014). Any shape; no parameters. Throws unless 0 <= p < 1, and in training without a generator.
struct Dropout {
  explicit Dropout(real p);

  Tensor operator()(const Tensor& x, const Pass& pass) const;

  real p;
};

}  // namespace heed::inline HEED_PRECISION
