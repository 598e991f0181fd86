#pragma once

#include "optim/optimizer.hpp"

namespace heed::inline HEED_PRECISION {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;     // Adam: L2, added to the gradient. AdamW: the parameter shrinks by lr times it
  bool only_matrices = false;  // decay only parameters of rank 2 and more: no biases, no norms
};

// Kingma & Ba 2015, algorithm 1, as torch.optim.Adam. At a parameter's t-th gradient g, with
// d = g + weight_decay p:
//   m = beta1 m + (1 - beta1) d;   v = beta2 v + (1 - beta2) d^2
//   p -= lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
// Subnormals: a moment that falls below the smallest normal number becomes 0. Otherwise m sticks at the
// smallest subnormal after about 1,200 gradients of zero (an embedding that is never looked up) and every
// step costs three times as much from then on.
class Adam : public Optimizer {
 public:
  explicit Adam(const TensorList& parameters, AdamOptions options = {})
      : Adam("Adam", parameters, options, false) {}

 protected:
  Adam(const char* name, const TensorList& parameters, AdamOptions options, bool decoupled);

 private:
  void update(size_t i, real* p, const real* g, int64_t n) override;
  AdamOptions options_;
  bool decoupled_;
  std::vector<Buffer> mean_, square_;  // m, v
  std::vector<int64_t> steps_;         // t of each parameter
};

// Loshchilov & Hutter 2019, algorithm 2, as torch.optim.AdamW: Adam whose decay bypasses the moments,
// p -= lr weight_decay p before the step.
class AdamW final : public Adam {
 public:
  explicit AdamW(const TensorList& parameters, AdamOptions options = {.weight_decay = 1e-2})
      : Adam("AdamW", parameters, options, true) {}
};

}  // namespace heed::inline HEED_PRECISION
