#include "optim/sgd.hpp"

#include "autograd/error.hpp"

namespace heed::inline HEED_PRECISION {

SGD::SGD(const TensorList& parameters, SGDOptions options)
    : Optimizer("SGD", parameters, options.lr), options_(options) {
  require(options.momentum >= 0, "momentum", options.momentum, "at least 0");
  require(options.weight_decay >= 0, "weight_decay", options.weight_decay, "at least 0");
  if (options.nesterov && options.momentum == 0) fail("SGD: nesterov needs a momentum above 0");
  if (options.momentum != 0) velocity_ = moments();
}

void SGD::update(size_t i, real* p, const real* g, int64_t n) {
  const real rate = real(lr()), decay = real(options_.weight_decay), momentum = real(options_.momentum);
  if (velocity_.empty()) {
    for (int64_t j = 0; j < n; ++j) p[j] -= rate * (g[j] + decay * p[j]);
    return;
  }
  real* b = velocity_[i].mutable_data();
  for (int64_t j = 0; j < n; ++j) {
    const real d = g[j] + decay * p[j];
    b[j] = momentum * b[j] + d;
    p[j] -= rate * (options_.nesterov ? d + momentum * b[j] : b[j]);
  }
}

}  // namespace heed::inline HEED_PRECISION
