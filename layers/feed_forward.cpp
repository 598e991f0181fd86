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
    case Activation::swiglu: {
      const int64_t half = x.size(-1) / 2;
      return slice(x, -1, 0, half) * silu(slice(x, -1, half, 2 * half));
    }
  }
  fail("activate: {} is no activation", static_cast<int>(activation));
}

FeedForward::FeedForward(int64_t size, int64_t inner, Activation activation, real dropout, Rng& rng,
                         bool bias)
    : linear1(size, activation == Activation::swiglu ? 2 * inner : inner, rng, {.bias = bias}),
      linear2(inner, size, rng, {.bias = bias}),
      activation(activation),
      dropout(dropout) {}

Tensor FeedForward::operator()(const Tensor& x, const Pass& pass) const {
  return linear2(dropout(activate(activation, linear1(x)), pass));
}

void FeedForward::visit(const Visitor& visitor) const {
  visitor("linear1", linear1);
  visitor("linear2", linear2);
}

}  // namespace heed::inline HEED_PRECISION
