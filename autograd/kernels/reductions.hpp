#pragma once

#include "autograd/kernels/vec.hpp"

// Sums and maxima of a whole array, and the two row operations of a bias.

namespace heed::kernels {

template <class B>
HEED_KERNEL Value<B> sum(const Value<B>* x, int64_t n) noexcept {
  B s[4] = {B(0), B(0), B(0), B(0)};
  sweep4<B>(n, [&](auto io, int64_t i, int k) { s[k] += io.load(x + i); });
  return hsum((s[0] + s[1]) + (s[2] + s[3]));
}

template <class B>
HEED_KERNEL Value<B> dot(const Value<B>* a, const Value<B>* b, int64_t n) noexcept {
  B s[4] = {B(0), B(0), B(0), B(0)};
  sweep4<B>(n, [&](auto io, int64_t i, int k) { s[k] = fused(io.load(a + i), io.load(b + i), s[k]); });
  return hsum((s[0] + s[1]) + (s[2] + s[3]));
}

template <class B>
HEED_KERNEL Value<B> max(const Value<B>* x, int64_t n) noexcept {
  constexpr Value<B> kLowest = -__builtin_inf();
  B m[4] = {B(kLowest), B(kLowest), B(kLowest), B(kLowest)};
  sweep4<B>(n, [&](auto io, int64_t i, int k) { m[k] = larger(m[k], io.keep(io.load(x + i), kLowest)); });
  return hmax(larger(larger(m[0], m[1]), larger(m[2], m[3])));
}

// In double whatever T is: the norm of a float gradient may overflow a float when squared. Plain loops,
// which the compiler turns into conversions and registers of this unit's architecture.
template <class B>
HEED_KERNEL double sum_squares(const Value<B>* x, int64_t n) noexcept {
  constexpr int kSums = 16;
  double s[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    for (int k = 0; k < kSums; ++k) s[k] += double(x[i + k]) * double(x[i + k]);
  }
  for (int k = 0; i < n; ++i, ++k) s[k] += double(x[i]) * double(x[i]);
  for (int half = kSums / 2; half > 0; half /= 2) {
    for (int k = 0; k < half; ++k) s[k] += s[k + half];
  }
  return s[0];
}

template <class B>
HEED_KERNEL void add_to_rows(const Value<B>* x, const Value<B>* bias, Value<B>* y, int64_t rows,
                             int64_t n) noexcept {
  for (int64_t r = 0; r < rows; ++r) {
    map<B>(
        n, y + r * n, [](B v, B b) { return v + b; }, x + r * n, bias);
  }
}

template <class B>
HEED_KERNEL void sum_rows(const Value<B>* x, Value<B>* y, int64_t rows, int64_t n) noexcept {
  sweep<B>(n, [&](auto io, int64_t i) {
    B total = io.load(y + i);
    for (int64_t r = 0; r < rows; ++r) total += io.load(x + r * n + i);
    io.store(y + i, total);
  });
}

}  // namespace heed::kernels
