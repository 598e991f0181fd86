#pragma once

#include "autograd/kernels/maps.hpp"
#include "autograd/kernels/philox.hpp"

namespace heed::kernels {

// The products of the low halves of 64-bit lanes.
template <class W>
HEED_INLINE W multiply_halves(const W& a, const W& b) noexcept {
#if defined(__AVX512F__)
  if constexpr (sizeof(W) == 64) return _mm512_mul_epu32(a, b);
#elif defined(__AVX2__)
  if constexpr (sizeof(W) == 32) return _mm256_mul_epu32(a, b);
#elif defined(__SSE2__)
  if constexpr (sizeof(W) == 16) return _mm_mul_epu32(a, b);
#else
  return vmull_u32(vmovn_u64(a), vmovn_u64(b));
#endif
}

// numbers[i] = number 4 block + i of the stream `key`.
template <class B, int N>
HEED_INLINE void random_numbers(uint64_t block, uint64_t key, uint32_t (&numbers)[N]) noexcept {
  using W = xsimd::batch<uint64_t, typename B::arch_type>;
  constexpr int L = W::size;  // blocks side by side
  static constexpr uint64_t kLanes[] = {0, 1, 2, 3, 4, 5, 6, 7};
  static_assert(L <= 8 && N % (4 * L) == 0);
  const W lanes = W::load_unaligned(kLanes), low(uint64_t{0xFFFFFFFF});
  for (int i = 0; i < N; i += 4 * L, block += L) {
    const W number = lanes + W(block);
    W c[4] = {number, number >> 32, W(uint64_t{0}), W(uint64_t{0})};
    philox(c, key, [](const W& word, uint64_t m) { return multiply_halves(word, W(m)); });
    uint64_t first[L], second[L], pairs[2 * L];  // two words each, as they lie in memory
    ((c[0] & low) | (c[1] << 32)).store_unaligned(first);
    ((c[2] & low) | (c[3] << 32)).store_unaligned(second);
    for (int l = 0; l < L; ++l) pairs[2 * l] = first[l], pairs[2 * l + 1] = second[l];
    __builtin_memcpy(numbers + i, pairs, sizeof pairs);
  }
}

// Calls use(i, m, count) for pieces of [0, n): elements i to i + count, and their factors m, which are made
// anew wherever they are needed: nothing is kept for the gradient.
template <class B, class Use>
HEED_INLINE void for_dropout_factors(uint64_t key, uint64_t counter, uint32_t dropped, Value<B> kept,
                                     int64_t n, Use use) noexcept {
  constexpr int kNumbers = 128;
  uint64_t block = counter / 4;
  for (auto at = -static_cast<int64_t>(counter % 4); at < n; at += kNumbers, block += kNumbers / 4) {
    uint32_t numbers[kNumbers];
    random_numbers<B>(block, key, numbers);
    Value<B> factors[kNumbers];
    for (int i = 0; i < kNumbers; ++i) factors[i] = numbers[i] < dropped ? Value<B>(0) : kept;
    const int64_t first = at < 0 ? -at : 0;
    const int64_t last = n - at < kNumbers ? n - at : kNumbers;
    use(at + first, factors + first, last - first);
  }
}

template <class B>
HEED_KERNEL void dropout(uint64_t key, uint64_t counter, uint32_t dropped, Value<B> kept, const Value<B>* x,
                         Value<B>* y, int64_t n) noexcept {
  for_dropout_factors<B>(key, counter, dropped, kept, n, [=](int64_t i, const Value<B>* m, int64_t count) {
    mul<B>(x + i, m, y + i, count);
  });
}

template <class B>
HEED_KERNEL void dropout_backward(uint64_t key, uint64_t counter, uint32_t dropped, Value<B> kept,
                                  const Value<B>* dy, Value<B>* dx, int64_t n) noexcept {
  for_dropout_factors<B>(key, counter, dropped, kept, n, [=](int64_t i, const Value<B>* m, int64_t count) {
    mul_add<B>(dy + i, m, dx + i, count);
  });
}

}  // namespace heed::kernels
