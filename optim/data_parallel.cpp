#include <algorithm>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"
#include "optim/distributed.hpp"
#include "optim/optimizer.hpp"

namespace heed::inline HEED_PRECISION {

DataParallel::DataParallel(const TensorList& parameters) : parameters_(distinct(parameters)) {
  if (distributed::size() == 1) return;
  const std::string arch = simd().arch;
  distributed::agree("the architecture, " + arch + " (HEED_ARCH chooses another),", arch);
  size_t numbers = parameters_.size();
  for (Tensor& p : parameters_) {
    numbers += static_cast<size_t>(p.size());
    distributed::broadcast(
        std::as_writable_bytes(std::span(p.mutable_data(), static_cast<size_t>(p.size()))));
  }
  flat_.resize(numbers);
}

std::vector<double> DataParallel::shares(std::initializer_list<double> counts) {
  std::vector<double> all(counts);
  distributed::all_reduce(std::span(all));
  for (size_t i = 0; i < all.size(); ++i) all[i] = all[i] > 0 ? counts.begin()[i] / all[i] : 1;  // alone: 1
  return all;
}

void DataParallel::sum_gradients() {
  if (distributed::size() == 1) return;
  const Timed timed("sum_gradients");
  real* having = flat_.data() + flat_.size() - parameters_.size();
  real* to = flat_.data();
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor grad = parameters_[i].grad();
    having[i] = grad.defined() ? 1 : 0;
    to = grad.defined() ? std::copy_n(grad.data(), grad.size(), to)
                        : std::fill_n(to, parameters_[i].size(), real(0));
  }
  distributed::all_reduce(std::span(flat_));
  const real* from = flat_.data();
  for (size_t i = 0; i < parameters_.size(); from += parameters_[i++].size()) {
    if (having[i] == 0) continue;
    if (!parameters_[i].grad().defined()) backward(scale(sum(parameters_[i]), 0));  // of others alone
    Tensor grad = parameters_[i].grad();
    std::copy_n(from, grad.size(), grad.mutable_data());
  }
  timed.moves(static_cast<int64_t>(4 * flat_.size() * sizeof(real)));
}

void DataParallel::check() const {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto bytes = std::as_bytes(parameters_[i].values());
    distributed::agree(fmt::format("parameter {} of shape {}", i, parameters_[i].shape().text()),
                       {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
}

}  // namespace heed::inline HEED_PRECISION
