#pragma once

#include "autograd/ids.hpp"
#include "layers/module.hpp"

namespace heed::inline HEED_PRECISION {

// Layers upon layers that leave the shape as it is, of whatever kind: x (B, T, D) -> (B, T, D). No output
// depends on the slots that the mask hides but those slots' own, which mean nothing.
struct Stack : Module {
  virtual Tensor operator()(const Tensor& x, const Mask& mask, const Pass& pass) const = 0;
  [[nodiscard]] virtual int64_t size() const = 0;  // D
};

}  // namespace heed::inline HEED_PRECISION
