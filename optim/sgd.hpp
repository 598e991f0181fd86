#pragma once

#include "optim/optimizer.hpp"

namespace heed::inline HEED_PRECISION {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  bool nesterov = false;    // needs momentum
  double weight_decay = 0;  // L2: added to the gradient
};

// Gradient descent, as torch.optim.SGD. With d = g + weight_decay p:
//   b = momentum b + d   (the first time: b = d);   p -= lr b
// or with Nesterov's momentum p -= lr (d + momentum b) (Sutskever et al. 2013). Without momentum b = d.
class SGD final : public Optimizer {
 public:
  explicit SGD(const TensorList& parameters, SGDOptions options = {});

 private:
  void update(size_t i, real* p, const real* g, int64_t n) override;
  SGDOptions options_;
  std::vector<Buffer> velocity_;  // b; zeros at first, which gives b = d the first time
};

}  // namespace heed::inline HEED_PRECISION
