#include "optim/optimizer.hpp"

#include <cmath>
#include <functional>
#include <unordered_set>

#include "autograd/error.hpp"

namespace heed::inline HEED_PRECISION {

TensorList distinct(const TensorList& list) {
  TensorList kept;
  std::unordered_set<const void*, std::hash<const void*>, std::equal_to<>, PoolAllocator<const void*>> seen;
  for (const Tensor& x : list) {
    if (!x.defined()) continue;
    const void* identity = x.needs_grad() ? static_cast<const void*>(x.node().get()) : x.data();
    if (seen.insert(identity).second) kept.push_back(x);
  }
  return kept;
}

Optimizer::Optimizer(const char* name, const TensorList& parameters, double lr)
    : parameters_(distinct(parameters)), name_(name) {
  for (size_t i = 0; i < parameters_.size(); ++i)
    if (!parameters_[i].needs_grad())
      fail("{}: parameter {} of shape {} needs no gradient; call requires_grad() on it", name, i,
           parameters_[i].shape().text());
  set_lr(lr);
}

void Optimizer::step() {
  const Timed timed(name_);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor grad = parameters_[i].grad();
    if (!grad.defined()) continue;
    update(i, parameters_[i].mutable_data(), grad.data(), grad.size());
    timed.moves((3 + 2 * moments_) * grad.size() * int64_t(sizeof(real)));  // the gradient is only read
  }
}

void Optimizer::zero_grad() {
  for (Tensor& p : parameters_) p.zero_grad();
}

void Optimizer::set_lr(double lr) {
  require(std::isfinite(lr) && lr >= 0, "lr", lr, "a number that is not negative");
  lr_ = lr;
}

std::vector<Buffer> Optimizer::moments() {
  ++moments_;
  std::vector<Buffer> zeros;
  zeros.reserve(parameters_.size());
  for (const Tensor& p : parameters_) zeros.push_back(Buffer::zeros(p.size()));
  return zeros;
}

void Optimizer::require(bool holds, const char* option, double value, const char* expected) const {
  if (!holds) fail("{}: {} is {}, expected {}", name_, option, value, expected);
}

}  // namespace heed::inline HEED_PRECISION
