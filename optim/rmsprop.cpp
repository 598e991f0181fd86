#include "optim/rmsprop.hpp"

#include <cmath>

namespace heed::inline HEED_PRECISION {

RMSProp::RMSProp(const TensorList& parameters, RMSPropOptions options)
    : Optimizer("RMSProp", parameters, options.lr), options_(options), square_(moments()) {
  require(options.alpha >= 0 && options.alpha < 1, "alpha", options.alpha, "at least 0 and below 1");
  require(options.eps >= 0, "eps", options.eps, "at least 0");
  require(options.momentum >= 0, "momentum", options.momentum, "at least 0");
  require(options.weight_decay >= 0, "weight_decay", options.weight_decay, "at least 0");
  if (options.centered) mean_ = moments();
  if (options.momentum != 0) velocity_ = moments();
}

void RMSProp::update(size_t i, real* p, const real* g, int64_t n) {
  const real rate = real(lr()), decay = real(options_.weight_decay), momentum = real(options_.momentum);
  const real alpha = real(options_.alpha), rest = real(1 - options_.alpha), eps = real(options_.eps);
  real* v = square_[i].mutable_data();
  real* m = mean_.empty() ? nullptr : mean_[i].mutable_data();
  real* b = velocity_.empty() ? nullptr : velocity_[i].mutable_data();
  for (int64_t j = 0; j < n; ++j) {
    const real d = g[j] + decay * p[j];
    v[j] = alpha * v[j] + rest * d * d;
    real spread = v[j];
    if (m != nullptr) {
      m[j] = alpha * m[j] + rest * d;
      spread -= m[j] * m[j];
    }
    real move = d / (std::sqrt(spread) + eps);
    if (b != nullptr) move = b[j] = momentum * b[j] + move;
    p[j] -= rate * move;
  }
}

}  // namespace heed::inline HEED_PRECISION
