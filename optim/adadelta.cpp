#include "optim/adadelta.hpp"

#include <cmath>

namespace heed::inline HEED_PRECISION {

Adadelta::Adadelta(const TensorList& parameters, AdadeltaOptions options)
    : Optimizer("Adadelta", parameters, options.lr),
      options_(options),
      square_(moments()),
      moved_(moments()) {
  require(options.rho >= 0 && options.rho <= 1, "rho", options.rho, "0 to 1");
  require(options.eps >= 0, "eps", options.eps, "at least 0");
  require(options.weight_decay >= 0, "weight_decay", options.weight_decay, "at least 0");
}

void Adadelta::update(size_t i, real* p, const real* g, int64_t n) {
  const real rate = real(lr()), decay = real(options_.weight_decay);
  const real rho = real(options_.rho), rest = real(1 - options_.rho), eps = real(options_.eps);
  real* v = square_[i].mutable_data();
  real* u = moved_[i].mutable_data();
  for (int64_t j = 0; j < n; ++j) {
    const real d = g[j] + decay * p[j];
    v[j] = rho * v[j] + rest * d * d;
    const real move = std::sqrt(u[j] + eps) / std::sqrt(v[j] + eps) * d;
    u[j] = rho * u[j] + rest * move * move;
    p[j] -= rate * move;
  }
}

}  // namespace heed::inline HEED_PRECISION
