#include <cmath>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

// y_i = f(x_i), one element at a time.

namespace heed::inline HEED_PRECISION {

namespace {

using Map = void (*)(const real* x, real* y, int64_t n) noexcept;
using MapBackward = void (*)(const real* saved, const real* dy, real* dx, int64_t n) noexcept;
enum class Keep { input, output };  // which of x and y the gradient is computed from

constexpr double cost = 0.6;  // nanoseconds per element

// An op from a kernel and its gradient's kernel: y = f(x), dx += f'(saved) dy.
Tensor map(const char* op, const Tensor& x, Map f, MapBackward df, Keep keep) {
  check_defined(op, x);
  Tensor y = empty_like(x);
  real* out = y.mutable_data();
  parallel_for(x.size(), grain(cost),
               [&](int64_t begin, int64_t end) { f(x.data() + begin, out + begin, end - begin); });
  return record(op, y, {&x}, [df, saved = Saved(keep == Keep::input ? x : y), n = x.size()](Gradients& g) {
    const real* from = saved.data();
    const real* dy = g.output();
    const Gradients::Sum dx = g.sum(0);
    parallel_for(n, grain(cost), [&](int64_t begin, int64_t end) {
      dx.add(begin, end, [&](int64_t i, int64_t count) { df(from + i, dy + i, dx.data + i, count); });
    });
  });
}

// An op from formulas, for functions that need no kernel: y = f(x), dx += df(x) dy.
template <class F, class D>
Tensor formula(const char* op, const Tensor& x, F f, D df) {
  check_defined(op, x);
  Tensor y = empty_like(x);
  real* out = y.mutable_data();
  for (int64_t i = 0; i < x.size(); ++i) out[i] = f(x.data()[i]);
  return record(op, y, {&x}, [df, saved = Saved(x), n = x.size()](Gradients& g) {
    const real* from = saved.data();
    const real* dy = g.output();
    real* dx = g.input(0);
    for (int64_t i = 0; i < n; ++i) dx[i] += df(from[i]) * dy[i];
  });
}

}  // namespace

// y = e^x  =>  dx += y dy
Tensor exp(const Tensor& x) { return map("exp", x, simd().exp, simd().mul_add, Keep::output); }

// y = tanh x  =>  dx += (1 - y^2) dy
Tensor tanh(const Tensor& x) { return map("tanh", x, simd().tanh, simd().tanh_backward, Keep::output); }

// y = 1 / (1 + e^-x)  =>  dx += y (1 - y) dy
Tensor sigmoid(const Tensor& x) {
  return map("sigmoid", x, simd().sigmoid, simd().sigmoid_backward, Keep::output);
}

// y = max(x, 0)  =>  dx += dy where x > 0
Tensor relu(const Tensor& x) { return map("relu", x, simd().relu, simd().relu_backward, Keep::input); }

// y = x Phi(x)  =>  dx += (Phi(x) + x phi(x)) dy, with Phi and phi the normal distribution and its density
Tensor gelu(const Tensor& x) { return map("gelu", x, simd().gelu, simd().gelu_backward, Keep::input); }

// y = x s, s = sigmoid(x)  =>  dx += s (1 + x (1 - s)) dy
Tensor silu(const Tensor& x) { return map("silu", x, simd().silu, simd().silu_backward, Keep::input); }

// y = log(1 + e^x)  =>  dx += sigmoid(x) dy
Tensor softplus(const Tensor& x) {
  return map("softplus", x, simd().softplus, simd().softplus_backward, Keep::input);
}

// y = log x  =>  dx += dy / x
Tensor log(const Tensor& x) {
  return map(
      "log", x, simd().log,
      [](const real* saved, const real* dy, real* dx, int64_t n) noexcept {
        for (int64_t i = 0; i < n; ++i) dx[i] += dy[i] / saved[i];
      },
      Keep::input);
}

// y = x^(1/2)  =>  dx += dy / (2 sqrt x)
Tensor sqrt(const Tensor& x) {
  return formula(
      "sqrt", x, [](real v) { return std::sqrt(v); }, [](real v) { return real(0.5) / std::sqrt(v); });
}

// y = x^p  =>  dx += p x^(p - 1) dy. x^0 = 1 is constant, also at 0, where the formula would say 0 * inf.
Tensor pow(const Tensor& x, real exponent) {
  return formula(
      "pow", x, [exponent](real v) { return std::pow(v, exponent); },
      [exponent](real v) { return exponent == 0 ? 0 : exponent * std::pow(v, exponent - 1); });
}

// y = |x|  =>  dx += sign(x) dy, sign(0) = 0
Tensor abs(const Tensor& x) {
  return formula(
      "abs", x, [](real v) { return std::abs(v); },
      [](real v) { return static_cast<real>(v > 0) - static_cast<real>(v < 0); });
}

// y = min(max(x, low), high)  =>  dx += dy where low <= x <= high
Tensor clamp(const Tensor& x, real low, real high) {
  if (!(low <= high)) fail("clamp: the bounds {} and {} are not in order", low, high);
  return formula(
      "clamp", x, [low, high](real v) { return v < low    ? low
                                               : v > high ? high
                                                          : v; },  // NaN passes
      [low, high](real v) { return static_cast<real>(v >= low && v <= high); });
}

Tensor dropout(const Tensor& x, real p, Rng& rng) {
  check_defined("dropout", x);
  if (!(p >= 0 && p < 1)) fail("dropout: probability {} is outside [0, 1)", p);
  if (p == 0) return x;
  const auto dropped = static_cast<uint32_t>(static_cast<double>(p) * 0x1p32);
  const real kept = 1 / (1 - p);
  const Rng::State from = rng.leave(x.size());
  Tensor y = empty_like(x);
  real* out = y.mutable_data();
  parallel_for(x.size(), grain(cost), [&](int64_t begin, int64_t end) {
    simd().dropout(from.key, from.counter + uint64_t(begin), dropped, kept, x.data() + begin, out + begin,
                   end - begin);
  });
  // y = m x  =>  dx += m dy
  return record("dropout", y, {&x}, [from, dropped, kept, n = x.size()](Gradients& g) {
    const real* dy = g.output();
    const Gradients::Sum dx = g.sum(0);
    parallel_for(n, grain(cost), [&](int64_t begin, int64_t end) {
      dx.add(begin, end, [&](int64_t i, int64_t count) {
        simd().dropout_backward(from.key, from.counter + uint64_t(i), dropped, kept, dy + i, dx.data + i,
                                count);
      });
    });
  });
}

}  // namespace heed::inline HEED_PRECISION
