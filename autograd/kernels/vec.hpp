#pragma once

#include <cstdint>
#include <utility>
#include <xsimd/xsimd.hpp>

// The vocabulary in which every kernel is written. B is a SIMD register: xsimd::batch<T, Arch>, with B::size
// lanes. All of it depends on B, so that units compiled for different architectures never share a function.

namespace heed::kernels {

template <class B>
using Value = typename B::value_type;

#define HEED_INLINE [[gnu::always_inline]] inline
// On every kernel: inline all that it calls, lambdas above all. One call per register costs as much as e^x.
#define HEED_KERNEL [[gnu::flatten]]

// Copies n < 2 H elements by powers of two: a loop over them would become a call of memcpy.
template <int H, class T>
HEED_INLINE void copy_few(int64_t n, const T* from, T* to) noexcept {
  if constexpr (H > 0) {
    if ((n & H) != 0) {
      __builtin_memcpy(to, from, H * sizeof(T));
      from += H, to += H;
    }
    copy_few<H / 2>(n, from, to);
  }
}

// Lanes 0, 1, 2, ... as numbers.
template <class B>
HEED_INLINE B lane_numbers() noexcept {
  static constexpr Value<B> kNumbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  static_assert(B::size <= 16);
  return B::load_unaligned(kNumbers);
}

// The first n < W lanes from memory, the others 0. Through a buffer they would arrive late: a register cannot
// be read back before all of its parts have been written.
template <class B>
HEED_INLINE B load_few(const Value<B>* p, int64_t n) noexcept {
#if defined(__AVX512F__)
  const auto lanes = static_cast<uint16_t>((1U << n) - 1);
  if constexpr (sizeof(Value<B>) == 4) return B(_mm512_maskz_loadu_ps(lanes, p));
  if constexpr (sizeof(Value<B>) == 8) return B(_mm512_maskz_loadu_pd(static_cast<uint8_t>(lanes), p));
#elif defined(__AVX2__)
  static constexpr int32_t kLanes[] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
  const int64_t from = 8 - n * int64_t(sizeof(Value<B>) / 4);
  const __m256i lanes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLanes + from));
  if constexpr (sizeof(Value<B>) == 4) return B(_mm256_maskload_ps(p, lanes));
  if constexpr (sizeof(Value<B>) == 8) return B(_mm256_maskload_pd(p, lanes));
#else
  Value<B> lanes[B::size] = {};
  copy_few<int(B::size) / 2>(n, p, lanes);
  return B::load_unaligned(lanes);
#endif
}

// How a loop body reaches memory when it owns all lanes ...
template <class B>
struct Full {
  HEED_INLINE B load(const Value<B>* p) const noexcept { return B::load_unaligned(p); }
  HEED_INLINE void store(Value<B>* p, const B& v) const noexcept { v.store_unaligned(p); }
  HEED_INLINE B keep(const B& v, Value<B>) const noexcept { return v; }
  // Lanes whose byte is not 0; all of them when there are no bytes.
  HEED_INLINE typename B::batch_bool_type seen(const uint8_t* p) const noexcept {
    if (p == nullptr) return B(Value<B>(0)) == B(Value<B>(0));
    Value<B> flags[B::size];
    for (std::size_t l = 0; l < B::size; ++l) flags[l] = p[l];
    return B::load_unaligned(flags) != B(Value<B>(0));
  }
};

// ... and when it owns the first n < W: the others load as 0, are not stored, and `keep` replaces them by
// the identity of whatever reduction they are about to enter.
template <class B>
struct Part {
  int64_t n;

  HEED_INLINE B load(const Value<B>* p) const noexcept { return load_few<B>(p, n); }
  HEED_INLINE void store(Value<B>* p, const B& v) const noexcept {
    Value<B> lanes[B::size];
    v.store_unaligned(lanes);
    copy_few<int(B::size) / 2>(n, lanes, p);
  }
  HEED_INLINE B keep(const B& v, Value<B> identity) const noexcept {
    return xsimd::select(lane_numbers<B>() < B(Value<B>(n)), v, B(identity));
  }
  HEED_INLINE typename B::batch_bool_type seen(const uint8_t* p) const noexcept {
    Value<B> flags[B::size] = {};
    for (int64_t l = 0; l < n; ++l) flags[l] = p == nullptr || p[l] != 0;
    return B::load_unaligned(flags) != B(Value<B>(0));
  }
};

// Runs body(io, i) for i = 0, W, 2W, ... < n. Body and tail are one lambda, so a value does not depend on
// where in the array it stands.
template <class B, class Body>
HEED_INLINE void sweep(int64_t n, Body body) noexcept {
  constexpr int64_t W = B::size;
  int64_t i = 0;
  for (; i + W <= n; i += W) body(Full<B>{}, i);
  if (i < n) body(Part<B>{n - i}, i);
}

// The same for reductions: body(io, i, k) adds into its k-th accumulator. Four hide an addition's latency.
template <class B, class Body>
HEED_INLINE void sweep4(int64_t n, Body body) noexcept {
  constexpr int64_t W = B::size;
  int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
    body(Full<B>{}, i, 0);
    body(Full<B>{}, i + W, 1);
    body(Full<B>{}, i + 2 * W, 2);
    body(Full<B>{}, i + 3 * W, 3);
  }
  for (; i + W <= n; i += W) body(Full<B>{}, i, 0);
  if (i < n) body(Part<B>{n - i}, i, 0);
}

// y_i = f(x_i, ...)
template <class B, class F, class... X>
HEED_INLINE void map(int64_t n, Value<B>* y, F f, const X*... x) noexcept {
  sweep<B>(n, [&](auto io, int64_t i) { io.store(y + i, f(io.load(x + i)...)); });
}

// y_i += f(x_i, ...), or, where not `add`, y_i = f(x_i, ...)
template <class B, class F, class... X>
HEED_INLINE void map_sum(int64_t n, bool add, Value<B>* y, F f, const X*... x) noexcept {
  if (add) {
    sweep<B>(n, [&](auto io, int64_t i) { io.store(y + i, io.load(y + i) + f(io.load(x + i)...)); });
  } else {
    map<B>(n, y, f, x...);
  }
}

// a b + c, in one rounding where the architecture has it. (Not named `fma`, nor the quotient below `div`:
// argument-dependent lookup would rather find xsimd's.)
template <class B>
HEED_INLINE B fused(const B& a, const B& b, const B& c) noexcept {
#ifdef __AVX512F__  // xsimd 8.1 would multiply, then add
  if constexpr (sizeof(B) == 64) {
    if constexpr (sizeof(Value<B>) == sizeof(float)) {
      return _mm512_fmadd_ps(a, b, c);
    } else {
      return _mm512_fmadd_pd(a, b, c);
    }
  }
#endif
  return xsimd::fma(a, b, c);
}

// a / b, rounded as IEEE says: xsimd's operator multiplies by an estimated reciprocal for NEON's floats.
template <class B>
HEED_INLINE B quotient(const B& a, const B& b) noexcept {
  using Register = typename B::register_type;
  return B(static_cast<Register>(a) / static_cast<Register>(b));
}

// The larger of two; NaN if either is. (xsimd 8.1's != is false for NaN on AVX, == is too, as it should.)
template <class B>
HEED_INLINE B larger(const B& a, const B& b) noexcept {
  return xsimd::select(a == a, xsimd::select(a > b, a, b), a);
}

template <class T, class V, class Join>
HEED_INLINE T fold(V v, Join join) noexcept;

// join(low half, high half) of a register, again and again until one number is left. The first halvings are
// of registers: to write the lanes and read them back as numbers would take three times as long.
template <class T, class V, class Join, std::size_t... L>
HEED_INLINE T fold_half(V v, Join join, std::index_sequence<L...>) noexcept {
  constexpr std::size_t half = sizeof...(L);
  return fold<T>(join(__builtin_shufflevector(v, v, L...), __builtin_shufflevector(v, v, (L + half)...)),
                 join);
}

template <class T, class V, class Join>
HEED_INLINE T fold(V v, Join join) noexcept {
  if constexpr (sizeof(V) > 16) {
    return fold_half<T>(v, join, std::make_index_sequence<sizeof(V) / sizeof(T) / 2>());
  } else if constexpr (sizeof(V) / sizeof(T) == 4) {
    return join(join(T(v[0]), T(v[2])), join(T(v[1]), T(v[3])));
  } else {
    return join(T(v[0]), T(v[1]));
  }
}

// Sum and maximum of the lanes, in halves: the order is the same for every call. The maximum is NaN if any
// is.
template <class B>
HEED_INLINE Value<B> hsum(const B& v) noexcept {
  return fold<Value<B>>(static_cast<typename B::register_type>(v), [](auto a, auto b) { return a + b; });
}

template <class B>
HEED_INLINE Value<B> hmax(const B& v) noexcept {
  return fold<Value<B>>(static_cast<typename B::register_type>(v), [](auto a, auto b) {
    const auto larger = a > b ? a : b;
    return a == a ? larger : a;
  });
}

}  // namespace heed::kernels
