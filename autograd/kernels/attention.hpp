#pragma once

#include "autograd/kernels/math.hpp"

// Attention in tiles: softmax over scores that are never there all at once (Milakov & Gimelshein 2018; in
// attention: Dao et al. 2022). A tile of scores is transposed, a row for each key, a column for each query,
// `ld` columns in a row: softmax runs down the columns, its lanes are queries, and nothing is summed across
// lanes. Columns beyond `queries`, up to a whole register, are computed too and mean nothing; all arrays are
// that long.

namespace heed::kernels {

// Which of a tile's keys W queries see: those whose byte is set and whose number is below each query's limit.
template <class B>
struct SeenKeys {
  const uint8_t* bytes;  // null: all
  bool limited;
  B limit;

  // The score of key j where it is seen, else -inf, whose exponential is 0.
  HEED_INLINE B operator()(const B& score, int64_t j) const noexcept {
    const B lowest(Value<B>(-__builtin_inf()));
    if (bytes != nullptr && bytes[j] == 0) return lowest;
    return limited ? xsimd::select(B(Value<B>(j)) < limit, score, lowest) : score;
  }
};

// Calls body(j, k) for j = 0 .. n - 1, where k says which of four accumulators is its.
template <class Body>
HEED_INLINE void rows4(int64_t n, Body body) noexcept {
  int64_t j = 0;
  for (; j + 4 <= n; j += 4) body(j, 0), body(j + 1, 1), body(j + 2, 2), body(j + 3, 3);
  for (; j < n; ++j) body(j, 0);
}

// What is subtracted from scores: 0 in place of -inf, where nothing was seen and nothing has a weight.
template <class B>
HEED_INLINE B offset_of(const B& top) noexcept {
  return xsimd::select(top == B(Value<B>(-__builtin_inf())), B(0), top);
}

template <class B>
HEED_KERNEL void attention(Value<B>* s, int64_t ld, int64_t keys, int64_t queries, const uint8_t* seen,
                           const Value<B>* limit, Value<B>* top, Value<B>* total, Value<B>* shrink) noexcept {
  for (int64_t i = 0; i < queries; i += B::size) {
    const SeenKeys<B> mask{seen, limit != nullptr, limit != nullptr ? B::load_unaligned(limit + i) : B(0)};
    const B before = B::load_unaligned(top + i);
    B m[4] = {before, before, before, before};
    rows4(keys, [&](int64_t j, int k) {
      const B v = mask(B::load_unaligned(s + j * ld + i), j);
      m[k] = xsimd::select(v > m[k], v, m[k]);  // a NaN is passed over: its exponential is NaN anyhow
    });
    for (int k = 1; k < 4; ++k) m[0] = xsimd::select(m[k] > m[0], m[k], m[0]);
    const B offset = offset_of(m[0]), factor = math::exp_of_negative(before - offset);
    B sum[4] = {factor * B::load_unaligned(total + i), B(0), B(0), B(0)};
    rows4(keys, [&](int64_t j, int k) {
      Value<B>* p = s + j * ld + i;
      const B e = math::exp_of_negative(mask(B::load_unaligned(p), j) - offset);
      e.store_unaligned(p);
      sum[k] += e;
    });
    m[0].store_unaligned(top + i);
    factor.store_unaligned(shrink + i);
    ((sum[0] + sum[1]) + (sum[2] + sum[3])).store_unaligned(total + i);
  }
}

template <class B>
HEED_KERNEL void attention_backward(Value<B>* s, Value<B>* dp, int64_t ld, int64_t keys, int64_t queries,
                                    const uint8_t* seen, const Value<B>* limit, const Value<B>* lse,
                                    const Value<B>* mean) noexcept {
  for (int64_t i = 0; i < queries; i += B::size) {
    const SeenKeys<B> mask{seen, limit != nullptr, limit != nullptr ? B::load_unaligned(limit + i) : B(0)};
    const B offset = offset_of(B::load_unaligned(lse + i)), d = B::load_unaligned(mean + i);
    for (int64_t j = 0; j < keys; ++j) {
      Value<B>*w = s + j * ld + i, *g = dp + j * ld + i;
      const B p = math::exp_of_negative(mask(B::load_unaligned(w), j) - offset);
      p.store_unaligned(w);
      // A key of weight 0 is passed over: 0 times an infinite dP would be NaN.
      xsimd::select(p == B(0), B(0), p * (B::load_unaligned(g) - d)).store_unaligned(g);
    }
  }
}

}  // namespace heed::kernels
