#include "layers/feed_forward.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {

Tensor activate(Activation activation, const Tensor& x) {
  switch (activation) {
    case Activation::relu:
      return relu(x);
    case Activation::gelu:
      return gelu(x);
    case Activation::silu:
      return silu(x);
    case Activation::tanh:
      return tanh(x);
  }
  fail("activate: {} is no activation", static_cast<int>(activation));
}

FeedForward::FeedForward(int64_t size, int64_t inner, Activation activation, real dropout, Rng& rng)
    : linear1(size, inner, rng), linear2(inner, size, rng), activation(activation), dropout(dropout) {}

Tensor FeedForward::operator()(const Tensor& x, const Pass& pass) const {
  return linear2(dropout(activate(activation, linear1(x)), pass));
}

void FeedForward::visit(const Visitor& visitor) const {
  visitor("linear1", linear1);
  visitor("linear2", linear2);
}

}  // namespace heed::inline HEED_PRECISION
