#pragma once

#include "autograd/kernels/math.hpp"

// y_i = f(x_i), their gradients, and arithmetic: one line of mathematics each.

namespace heed::kernels {

// ---- maps

template <class B>
HEED_KERNEL void exp(const Value<B>* x, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [](B v) { return math::exp(v); }, x);
}

template <class B>
HEED_KERNEL void log(const Value<B>* x, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [](B v) { return math::log(v); }, x);
}

template <class B>
HEED_KERNEL void tanh(const Value<B>* x, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [](B v) { return math::tanh(v); }, x);
}

template <class B>
HEED_KERNEL void sigmoid(const Value<B>* x, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [](B v) { return math::sigmoid(v); }, x);
}

template <class B>
HEED_KERNEL void erf(const Value<B>* x, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [](B v) { return math::erf(v); }, x);
}

template <class B>
HEED_KERNEL void relu(const Value<B>* x, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [](B v) { return xsimd::select(v < B(0), B(0), v); }, x);  // NaN < 0 is false
}

template <class B>
HEED_KERNEL void gelu(const Value<B>* x, Value<B>* y, int64_t n) noexcept {
  const B half(Value<B>(0.5)), sqrt_half(Value<B>(0.70710678118654752440));
  map<B>(
      n, y,
      [=](B v) {
        const B x = math::at_least(v, math::Fmt<B>::kExpUnderflow);  // -inf times 0 would be NaN
        return half * x * (B(1) + math::erf(v * sqrt_half));
      },
      x);
}

template <class B>
HEED_KERNEL void silu(const Value<B>* x, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [](B v) { return math::at_least(v, math::Fmt<B>::kExpUnderflow) * math::sigmoid(v); }, x);
}

template <class B>
HEED_KERNEL void softplus(const Value<B>* x, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y,
      [](B v) { return xsimd::select(v < B(0), B(0), v) + math::log1p_unit(math::decay(xsimd::abs(v))); }, x);
}

// ---- their gradients: dx += dy f'(x)

template <class B>
HEED_KERNEL void tanh_backward(const Value<B>* y, const Value<B>* dy, Value<B>* dx, int64_t n) noexcept {
  map<B>(
      n, dx, [](B t, B d, B sum) { return sum + (B(1) - t * t) * d; }, y, dy, dx);
}

template <class B>
HEED_KERNEL void sigmoid_backward(const Value<B>* y, const Value<B>* dy, Value<B>* dx, int64_t n) noexcept {
  map<B>(
      n, dx, [](B s, B d, B sum) { return sum + s * (B(1) - s) * d; }, y, dy, dx);
}

template <class B>
HEED_KERNEL void relu_backward(const Value<B>* x, const Value<B>* dy, Value<B>* dx, int64_t n) noexcept {
  map<B>(
      n, dx, [](B v, B d, B sum) { return sum + xsimd::select(v > B(0), d, B(0)); }, x, dy, dx);
}

template <class B>
HEED_KERNEL void gelu_backward(const Value<B>* x, const Value<B>* dy, Value<B>* dx, int64_t n) noexcept {
  const B half(Value<B>(0.5)), sqrt_half(Value<B>(0.70710678118654752440));
  const B inv_sqrt_2pi(Value<B>(0.39894228040143267794));
  map<B>(
      n, dx,
      [=](B v, B d, B sum) {
        B density;                                                        // e^(-x^2/2)
        const B cdf = half * (B(1) + math::erf(v * sqrt_half, density));  // Phi(x)
        return sum + (cdf + math::finite(v) * inv_sqrt_2pi * density) * d;
      },
      x, dy, dx);
}

template <class B>
HEED_KERNEL void silu_backward(const Value<B>* x, const Value<B>* dy, Value<B>* dx, int64_t n) noexcept {
  map<B>(
      n, dx,
      [](B v, B d, B sum) {
        const B s = math::sigmoid(v);
        return sum + s * (B(1) + math::finite(v) * (B(1) - s)) * d;
      },
      x, dy, dx);
}

template <class B>
HEED_KERNEL void softplus_backward(const Value<B>* x, const Value<B>* dy, Value<B>* dx, int64_t n) noexcept {
  map<B>(
      n, dx, [](B v, B d, B sum) { return sum + math::sigmoid(v) * d; }, x, dy, dx);
}

// ---- arithmetic

template <class B>
HEED_KERNEL void add(const Value<B>* a, const Value<B>* b, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [](B p, B q) { return p + q; }, a, b);
}

template <class B>
HEED_KERNEL void sub(const Value<B>* a, const Value<B>* b, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [](B p, B q) { return p - q; }, a, b);
}

template <class B>
HEED_KERNEL void mul(const Value<B>* a, const Value<B>* b, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [](B p, B q) { return p * q; }, a, b);
}

template <class B>
HEED_KERNEL void div(const Value<B>* a, const Value<B>* b, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [](B p, B q) { return quotient(p, q); }, a, b);
}

template <class B>
HEED_KERNEL void scale(Value<B> alpha, const Value<B>* x, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [alpha](B v) { return B(alpha) * v; }, x);
}

template <class B>
HEED_KERNEL void axpy(Value<B> alpha, const Value<B>* x, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [alpha](B v, B sum) { return fused(B(alpha), v, sum); }, x, y);
}

template <class B>
HEED_KERNEL void mul_add(const Value<B>* a, const Value<B>* b, Value<B>* y, int64_t n) noexcept {
  map<B>(
      n, y, [](B p, B q, B sum) { return fused(p, q, sum); }, a, b, y);
}

}  // namespace heed::kernels
