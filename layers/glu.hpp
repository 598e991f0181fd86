#pragma once

#include "autograd/tensor.hpp"

namespace heed::inline HEED_PRECISION {

// The gated linear unit: a sigmoid(b), a and b the halves of the last axis (Dauphin et al. 2017, eq. 1):
// (..., 2 D) -> (..., D). Where the gate is open the gradient passes a layer unshrunk. Throws on an odd axis.
Tensor glu(const Tensor& x);

}  // namespace heed::inline HEED_PRECISION
