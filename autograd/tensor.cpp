#include "autograd/tensor.hpp"

#include <algorithm>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"

namespace heed::inline HEED_PRECISION {

Tensor Tensor::empty(Shape shape) { return {shape, Buffer(shape.size())}; }

Tensor Tensor::zeros(Shape shape) { return {shape, Buffer::zeros(shape.size())}; }

Tensor Tensor::full(Shape shape, real value) {
  Tensor x = empty(shape);
  std::fill_n(x.mutable_data(), x.size(), value);
  return x;
}

Tensor Tensor::from(Shape shape, std::span<const real> values) {
  Tensor x = empty(shape);
  x.assign(values);
  return x;
}

real Tensor::item() const {
  if (!defined() || size() != 1) fail("item: a tensor of shape {} has not one element", shape_.text());
  return data()[0];
}

void Tensor::fail_undefined() {
  fail("tensor: the numbers of an undefined tensor (never set, or moved from)");
}

void fail_undefined(const char* op, std::initializer_list<const Tensor*> tensors) {
  const auto* const first =
      std::find_if(tensors.begin(), tensors.end(), [](auto x) { return !x->defined(); });
  fail("{}: tensor {} of {} is undefined (never set, or moved from)", op, first - tensors.begin() + 1,
       tensors.size());
}

void Tensor::assign(std::span<const real> values) {
  if (!defined()) heed::fail_undefined("assign", {this});
  if (static_cast<int64_t>(values.size()) != size()) {
    fail("tensor: {} values for shape {}, which has {}", values.size(), shape_.text(), size());
  }
  std::copy(values.begin(), values.end(), mutable_data());
}

Tensor Tensor::reshape(Shape shape) const {
  if (!defined()) heed::fail_undefined("reshape", {this});
  if (shape.size() != size()) fail("reshape: {} to {}: sizes differ", shape_.text(), shape.text());
  return {shape, buffer_, node_};
}

Tensor Tensor::reshape(std::initializer_list<int64_t> sizes) const {
  if (!defined()) heed::fail_undefined("reshape", {this});
  const std::span<const int64_t> asked(sizes.begin(), sizes.size());
  PoolVector<int64_t> result(sizes);
  const auto unknown = std::find(result.begin(), result.end(), -1);
  if (unknown != result.end()) {
    *unknown = 1;
    if (std::count(asked.begin(), asked.end(), -1) > 1) {
      fail("reshape: {} to ({}): at most one size may be -1", shape_.text(), fmt::join(asked, ", "));
    }
    const int64_t known = Shape(result).size();
    if (known == 0 || size() % known != 0) {
      fail("reshape: {} to ({}): {} elements do not divide", shape_.text(), fmt::join(asked, ", "), size());
    }
    *unknown = size() / known;
  }
  return reshape(Shape(result));
}

Tensor Tensor::detach() const { return {shape_, buffer_}; }

Tensor Tensor::clone() const {
  if (!defined()) heed::fail_undefined("clone", {this});
  return from(shape_, values());
}

Tensor Tensor::grad() const {
  if (!node_) return {};
  const Buffer& grad = node_->leaf() ? node_->grad_ : node_->kept_;
  if (!grad) return {};
  return {shape_, grad};
}

void Tensor::zero_grad() {
  if (node_) node_->grad_ = node_->kept_ = Buffer();
}

Tensor empty_like(const Tensor& x) { return Tensor::empty(x.shape()); }
Tensor zeros_like(const Tensor& x) { return Tensor::zeros(x.shape()); }

}  // namespace heed::inline HEED_PRECISION
