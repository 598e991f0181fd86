#pragma once

#include "autograd/kernels/math.hpp"

// Softmax, its logarithm and cross entropy, of one row of n scores.

namespace heed::kernels {

// The largest seen score; -inf when nothing is seen. Anything if a seen one is NaN: so is its exponential
// then, and all that follows.
template <class B>
HEED_INLINE Value<B> max_seen(const Value<B>* x, const uint8_t* seen, int64_t n) noexcept {
  constexpr Value<B> kLowest = -__builtin_inf();
  B m[4] = {B(kLowest), B(kLowest), B(kLowest), B(kLowest)};
  sweep4<B>(n, [&](auto io, int64_t i, int k) {
    B v = io.keep(io.load(x + i), kLowest);
    if (seen != nullptr) v = xsimd::select(io.seen(seen + i), v, B(kLowest));
    m[k] = xsimd::max(m[k], v);
  });
  return hmax(xsimd::max(xsimd::max(m[0], m[1]), xsimd::max(m[2], m[3])));
}

template <class B>
HEED_KERNEL void softmax(const Value<B>* x, const uint8_t* seen, Value<B>* y, int64_t n) noexcept {
  // Subtracting the largest score keeps e^ below 1 and the sum above 1: no overflow, no division by 0.
  const B top(max_seen<B>(x, seen, n));
  B total(0);
  sweep<B>(n, [&](auto io, int64_t i) {
    B e = io.keep(math::exp_of_negative(io.load(x + i) - top), 0);
    if (seen != nullptr) e = xsimd::select(io.seen(seen + i), e, B(0));
    io.store(y + i, e);
    total += e;
  });
  const Value<B> z = hsum(total);
  const B inverse(z == 0 ? Value<B>(0) : 1 / z);  // 0 only when nothing is seen
  map<B>(
      n, y, [=](B e) { return e * inverse; }, y);
}

template <class B>
HEED_KERNEL void softmax_backward(const Value<B>* y, const Value<B>* dy, bool add, Value<B>* dx,
                                  int64_t n) noexcept {
  // A slot of weight 0 is passed over: 0 times an infinite dy would be NaN.
  B mean[4] = {B(0), B(0), B(0), B(0)};  // sum_i y_i dy_i: the mean of dy under the weights
  sweep4<B>(n, [&](auto io, int64_t i, int k) {
    const B p = io.load(y + i);
    mean[k] = fused(p, xsimd::select(p == B(0), B(0), io.load(dy + i)), mean[k]);
  });
  const B m(hsum((mean[0] + mean[1]) + (mean[2] + mean[3])));
  map_sum<B>(
      n, add, dx, [=](B p, B d) { return p * xsimd::select(p == B(0), B(0), d - m); }, y, dy);
}

// log sum_j e^x_j over the seen slots
template <class B>
HEED_INLINE Value<B> log_sum_exp(const Value<B>* x, const uint8_t* seen, int64_t n) noexcept {
  const B top(max_seen<B>(x, seen, n));
  B total(0);
  sweep<B>(n, [&](auto io, int64_t i) {
    B e = io.keep(math::exp_of_negative(io.load(x + i) - top), 0);
    if (seen != nullptr) e = xsimd::select(io.seen(seen + i), e, B(0));
    total += e;
  });
  return (math::log(B(hsum(total))) + top).get(0);  // nothing seen: log 0 + -inf
}

template <class B>
HEED_KERNEL Value<B> log_softmax(const Value<B>* x, const uint8_t* seen, Value<B>* y, int64_t n) noexcept {
  const Value<B> lse = log_sum_exp<B>(x, seen, n);
  sweep<B>(n, [&](auto io, int64_t i) {
    B v = io.load(x + i) - B(lse);
    if (seen != nullptr) v = xsimd::select(io.seen(seen + i), v, B(Value<B>(-__builtin_inf())));
    io.store(y + i, v);
  });
  return lse;
}

template <class B>
HEED_KERNEL void log_softmax_backward(const Value<B>* y, const Value<B>* dy, bool add, Value<B>* dx,
                                      int64_t n) noexcept {
  const B lowest(Value<B>(-__builtin_inf()));
  B total(0);  // sum_i dy_i over the slots that count
  sweep<B>(n, [&](auto io, int64_t i) {
    total += xsimd::select(io.load(y + i) == lowest, B(0), io.load(dy + i));
  });
  const B t(hsum(total));
  map_sum<B>(
      n, add, dx, [=](B v, B d) { return xsimd::select(v == lowest, B(0), d - math::exp(v) * t); }, y, dy);
}

template <class B>
HEED_KERNEL Value<B> cross_entropy(const Value<B>* x, int64_t n, int64_t target, Value<B> smoothing,
                                   Value<B>* lse) noexcept {
  using T = Value<B>;
  *lse = log_sum_exp<B>(x, nullptr, n);
  T loss = *lse - (1 - smoothing) * x[target];
  if (smoothing != 0) {  // -inf logits would turn 0 x -inf into NaN
    B total(0);
    sweep<B>(n, [&](auto io, int64_t i) { total += io.load(x + i); });
    loss -= smoothing / T(n) * hsum(total);
  }
  return loss;
}

template <class B>
HEED_KERNEL void cross_entropy_backward(const Value<B>* x, Value<B> lse, int64_t n, int64_t target,
                                        Value<B> smoothing, Value<B> scale, Value<B>* dx) noexcept {
  using T = Value<B>;
  const B uniform(smoothing / T(n)), s(scale);
  map<B>(
      n, dx, [=](B v, B sum) { return fused(s, math::exp(v - B(lse)) - uniform, sum); }, x, dx);
  dx[target] -= scale * (1 - smoothing);
}

}  // namespace heed::kernels
