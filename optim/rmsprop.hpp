#pragma once

#include "optim/optimizer.hpp"

namespace heed::inline HEED_PRECISION {

struct RMSPropOptions {
  double lr = 1e-2;
  double alpha = 0.99;  // of the running mean of squares
  double eps = 1e-8;
  double momentum = 0;
  bool centered = false;    // divide by the standard deviation instead (Graves 2013)
  double weight_decay = 0;  // L2: added to the gradient
};

// Tieleman & Hinton 2012, as torch.optim.RMSprop. With d = g + weight_decay p:
//   v = alpha v + (1 - alpha) d^2;   b = momentum b + d / (sqrt(v) + eps);   p -= lr b
// centered: m = alpha m + (1 - alpha) d, and v - m^2 stands for v under the root.
class RMSProp final : public Optimizer {
 public:
  explicit RMSProp(const TensorList& parameters, RMSPropOptions options = {});

 private:
  void update(size_t i, real* p, const real* g, int64_t n) override;
  RMSPropOptions options_;
  std::vector<Buffer> square_, mean_, velocity_;  // v, m, b
};

}  // namespace heed::inline HEED_PRECISION
