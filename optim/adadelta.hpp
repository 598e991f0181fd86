#pragma once

#include "optim/optimizer.hpp"

namespace heed::inline HEED_PRECISION {

struct AdadeltaOptions {
  double lr = 1;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0;  // L2: added to the gradient
};

// Zeiler 2012, algorithm 1, as torch.optim.Adadelta. With d = g + weight_decay p:
//   v = rho v + (1 - rho) d^2;   m = sqrt(u + eps) / sqrt(v + eps) d
//   u = rho u + (1 - rho) m^2;   p -= lr m
class Adadelta final : public Optimizer {
 public:
  explicit Adadelta(const TensorList& parameters, AdadeltaOptions options = {});

 private:
  void update(size_t i, real* p, const real* g, int64_t n) override;
  AdadeltaOptions options_;
  std::vector<Buffer> square_, moved_;  // v, u
};

}  // namespace heed::inline HEED_PRECISION
