#pragma once

#include "autograd/kernels/reductions.hpp"

// Of one row: layer normalization (Ba et al. 2016) and root mean square normalization (Zhang & Sennrich
// 2019), with their gradients.

namespace heed::kernels {

// p_i, or the constant when p is null.
template <class B, class IO>
HEED_INLINE B load_or(IO io, const Value<B>* p, int64_t i, Value<B> otherwise) noexcept {
  return p == nullptr ? B(otherwise) : io.load(p + i);
}

template <class B>
HEED_KERNEL void layer_norm(const Value<B>* x, const Value<B>* gamma, const Value<B>* beta, Value<B> eps,
                            Value<B>* y, int64_t n, Value<B>* mean, Value<B>* rstd) noexcept {
  using T = Value<B>;
  const T mu = sum<B>(x, n) / T(n);
  const B m(mu);
  B squares[4] = {B(0), B(0), B(0), B(0)};  // of x - mean: E x^2 - mean^2 would cancel
  sweep4<B>(n, [&](auto io, int64_t i, int k) {
    const B d = io.keep(io.load(x + i) - m, 0);
    squares[k] = fused(d, d, squares[k]);
  });
  const T var = hsum((squares[0] + squares[1]) + (squares[2] + squares[3])) / T(n);
  const B r = quotient(B(1), xsimd::sqrt(B(var + eps)));
  sweep<B>(n, [&](auto io, int64_t i) {
    const B xh = (io.load(x + i) - m) * r;
    io.store(y + i, fused(xh, load_or<B>(io, gamma, i, 1), load_or<B>(io, beta, i, 0)));
  });
  *mean = mu;
  *rstd = r.get(0);
}

template <class B>
HEED_KERNEL void layer_norm_backward(const Value<B>* x, const Value<B>* gamma, const Value<B>* dy,
                                     Value<B> mean, Value<B> rstd, bool add, Value<B>* dx, Value<B>* dgamma,
                                     Value<B>* dbeta, int64_t n) noexcept {
  using T = Value<B>;
  const B m(mean), r(rstd);
  B g_sum[4] = {B(0), B(0), B(0), B(0)}, gxh_sum[4] = {B(0), B(0), B(0), B(0)};
  sweep4<B>(n, [&](auto io, int64_t i, int k) {
    const B d = io.load(dy + i), xh = (io.load(x + i) - m) * r;
    const B g = d * load_or<B>(io, gamma, i, 1);  // 0 beyond n, as d is
    g_sum[k] += g;
    gxh_sum[k] = fused(g, xh, gxh_sum[k]);
    if (dgamma != nullptr) io.store(dgamma + i, fused(d, xh, io.load(dgamma + i)));
    if (dbeta != nullptr) io.store(dbeta + i, io.load(dbeta + i) + d);
  });
  if (dx == nullptr) return;
  const B mean_g(hsum((g_sum[0] + g_sum[1]) + (g_sum[2] + g_sum[3])) / T(n));
  const B mean_gxh(hsum((gxh_sum[0] + gxh_sum[1]) + (gxh_sum[2] + gxh_sum[3])) / T(n));
  const auto pass = [&](auto start) {
    sweep<B>(n, [&](auto io, int64_t i) {
      const B xh = (io.load(x + i) - m) * r, g = io.load(dy + i) * load_or<B>(io, gamma, i, 1);
      io.store(dx + i, fused(r, g - mean_g - xh * mean_gxh, start(io, i)));
    });
  };
  add ? pass([&](auto io, int64_t i) { return io.load(dx + i); }) : pass([](auto, int64_t) { return B(0); });
}

template <class B>
HEED_KERNEL void rms_norm(const Value<B>* x, const Value<B>* gamma, Value<B> eps, Value<B>* y, int64_t n,
                          Value<B>* rstd) noexcept {
  const B r = quotient(B(1), xsimd::sqrt(B(dot<B>(x, x, n) / Value<B>(n) + eps)));
  sweep<B>(n, [&](auto io, int64_t i) { io.store(y + i, io.load(x + i) * r * load_or<B>(io, gamma, i, 1)); });
  *rstd = r.get(0);
}

template <class B>
HEED_KERNEL void rms_norm_backward(const Value<B>* x, const Value<B>* gamma, const Value<B>* dy,
                                   Value<B> rstd, bool add, Value<B>* dx, Value<B>* dgamma,
                                   int64_t n) noexcept {
  const B r(rstd);
  B sum_gxh(0);
  sweep<B>(n, [&](auto io, int64_t i) {
    const B d = io.load(dy + i), xh = io.load(x + i) * r;
    sum_gxh = fused(d * load_or<B>(io, gamma, i, 1), xh, sum_gxh);
    if (dgamma != nullptr) io.store(dgamma + i, fused(d, xh, io.load(dgamma + i)));
  });
  if (dx == nullptr) return;
  const B mean_gxh(hsum(sum_gxh) / Value<B>(n));
  const auto pass = [&](auto start) {
    sweep<B>(n, [&](auto io, int64_t i) {
      const B xh = io.load(x + i) * r, g = io.load(dy + i) * load_or<B>(io, gamma, i, 1);
      io.store(dx + i, fused(r, g - xh * mean_gxh, start(io, i)));
    });
  };
  add ? pass([&](auto io, int64_t i) { return io.load(dx + i); }) : pass([](auto, int64_t) { return B(0); });
}

}  // namespace heed::kernels
