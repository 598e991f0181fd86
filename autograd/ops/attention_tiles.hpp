#pragma once

#include <algorithm>
#include <utility>

#include "autograd/ids.hpp"
#include "autograd/simd.hpp"
#include "autograd/storage.hpp"

// Attention in tiles of 64 queries by 64 keys, one at a time, so that memory grows with T and not with its
// square: FlashAttention (Dao et al. 2022; the backward as in Dao 2023, algorithm 2). A tile is transposed, a
// row for each key, a column for each query: softmax then runs down its columns (kernels/attention.hpp).

namespace heed::inline HEED_PRECISION::tiles {

inline constexpr int64_t block = 64;

// Of a tensor (B, T, H E), head h of element b is the T x E matrix at (b T H + h) E whose rows are H E apart.
struct Heads {
  Mask mask;
  int64_t batch, queries, slots, heads, kv_heads, e, f;  // e features of a key, f of a value
  real scale;
  int64_t first;  // the slot at which query 0 stands
  int64_t reach;  // R of the offsets
  bool key_offsets, value_offsets, slopes;

  [[nodiscard]] int64_t q_step() const { return heads * e; }
  [[nodiscard]] int64_t k_step() const { return kv_heads * e; }
  [[nodiscard]] int64_t v_step() const { return kv_heads * f; }
  [[nodiscard]] int64_t y_step() const { return heads * f; }
  [[nodiscard]] int64_t shared() const { return heads / kv_heads; }  // heads that read one key-value head
  [[nodiscard]] int64_t distances() const { return 2 * reach + 1; }
  // Which of the offsets a slot has for a query at slot `at`.
  [[nodiscard]] int64_t distance(int64_t slot, int64_t at) const {
    return std::clamp(slot - at, -reach, reach) + reach;
  }
};

// `rows` queries of head h of element b, from query t on. Offsets of its first query and of the first key,
// value and row of Y in their tensors; `row`: the query's number among those of all heads.
struct Tile {
  int64_t b, h, t, rows;
  int64_t q, k, v, y, row;
  int64_t seen;  // slots that any of its queries sees

  Tile(const Heads& a, int64_t b, int64_t h, int64_t t)
      : b(b), h(h), t(t), rows(std::min(block, a.queries - t)) {
    const int64_t kv = b * a.slots * a.kv_heads + h / a.shared(), query = (b * a.queries + t) * a.heads + h;
    q = query * a.e, k = kv * a.e, v = kv * a.f, y = query * a.f;
    row = (b * a.heads + h) * a.queries + t;
    seen = a.mask.visible(b, t + rows - 1, a.slots);
  }
};

// The keys [slot, slot + count) as a tile's queries see them: as kernels/attention.hpp wants to know it.
struct Keys {
  int64_t slot, count;
  const uint8_t* seen;
  const real* limit;
};

// Rows of a matrix, `step` apart.
struct Rows {
  const real* data = nullptr;
  int64_t step = 0;
  [[nodiscard]] const real* from(int64_t i) const { return data + i * step; }
};

// What a thread works in. The rows of a head lie H E apart, which tends to be a power of two, so that 64 of
// them fight for a few lines of the first-level cache: what is read often is first copied, row behind row.
struct Work {
  Buffer memory;
  Rows k, v, q, dy;                           // of the head, of the tile at hand
  real *keys, *values, *queries, *gradients;  // room for copies of these
  // A column for each query of the tile; a row for each ...
  real *scores, *other;                // key: P^T, then W^T; dW^T, then dP^T
  real *q_columns, *dy_columns;        // feature: Q^T, dY^T
  real *limit, *top, *total, *shrink;  // (one row each)
  real *by_key, *by_value;             // distance: offsets of keys times q, of values times dy
  real *w_sum, *dp_sum;                // distance: the sums of W^T and of dP^T

  explicit Work(const Heads& a) {
    const int64_t n = a.key_offsets || a.value_offsets ? a.distances() : 0;
    const int64_t kept = copies(a) ? a.slots : 0;
    memory = Buffer::zeros((kept + block) * (a.e + a.f) + block * (2 * block + a.e + a.f + 4 + 4 * n));
    real* at = memory.mutable_data();
    const auto take = [&](int64_t size) { return std::exchange(at, at + size); };
    keys = take(kept * a.e), values = take(kept * a.f), queries = take(block * a.e),
    gradients = take(block * a.f);
    scores = take(block * block), other = take(block * block);
    q_columns = take(a.e * block), dy_columns = take(a.f * block);
    limit = take(block), top = take(block), total = take(block), shrink = take(block);
    by_key = take(n * block), by_value = take(n * block), w_sum = take(n * block), dp_sum = take(n * block);
  }

  // A few queries, as in decoding, would not pay for copies of all keys.
  static bool copies(const Heads& a) { return a.queries >= 16; }

  static Rows copy(Rows from, int64_t rows, int64_t width, real* to) {
    for (int64_t i = 0; i < rows; ++i) std::copy_n(from.from(i), width, to + i * width);
    return {to, width};
  }
};

// What the op was given, null where nothing.
struct Inputs {
  const real *q, *k, *v, *key_offsets, *value_offsets, *slopes;
};

// Calls body(tile, work) for every tile. Those of one key-value head stay together on one thread, because the
// backward adds them into the same keys and values.
template <class F>
void for_tiles(const Heads& a, const Inputs& in, F body) {
  const double scores = double(a.queries) * double(a.slots) * double(a.shared());
  parallel_for(a.batch * a.kv_heads, grain(scores * (1 + 0.04 * double(a.e + a.f))),
               [&](int64_t begin, int64_t end) {
                 Work w(a);
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t b = i / a.kv_heads, h = i % a.kv_heads * a.shared(), last = h + a.shared();
                   const Tile first(a, b, h, 0);
                   w.k = {in.k + first.k, a.k_step()}, w.v = {in.v + first.v, a.v_step()};
                   if (Work::copies(a)) {
                     w.k = Work::copy(w.k, a.slots, a.e, w.keys);
                     w.v = Work::copy(w.v, a.slots, a.f, w.values);
                   }
                   for (int64_t head = h; head < last; ++head) {
                     for (int64_t t = 0; t < a.queries; t += block) body(Tile(a, b, head, t), w);
                   }
                 }
               });
}

// Calls body(keys) for the tiles of keys that any query of x sees: the others of a causal mask cost nothing.
template <class F>
void for_keys(const Heads& a, const Tile& x, Work& w, F body) {
  const uint8_t* bytes = a.mask.bytes(x.b, a.slots);
  const int64_t seen_by_all = a.mask.visible(x.b, x.t, a.slots);  // a later query never sees less
  for (int64_t slot = 0; slot < x.seen; slot += block) {
    const int64_t count = std::min(block, x.seen - slot);
    Keys keys{slot, count, bytes == nullptr ? nullptr : bytes + slot, nullptr};
    if (seen_by_all < slot + count) {
      for (int64_t i = 0; i < x.rows; ++i)
        w.limit[i] = static_cast<real>(a.mask.visible(x.b, x.t + i, a.slots) - slot);
      keys.limit = w.limit;
    }
    body(keys);
  }
}

// Calls body(key j, query i, distance) for all pairs of a tile.
template <class F>
void for_distances(const Heads& a, const Tile& x, const Keys& keys, F body) {
  for (int64_t j = 0; j < keys.count; ++j) {
    for (int64_t i = 0; i < x.rows; ++i)
      body(j * block + i, a.distance(keys.slot + j, a.first + x.t + i) * block + i);
  }
}

// Q^T, and its products with the keys' offsets
inline void take_queries(const Heads& a, const Inputs& in, const Tile& x, Work& w) {
  w.q = Work::copy({in.q + x.q, a.q_step()}, x.rows, a.e, w.queries);
  simd().transpose(w.q.data, w.q.step, x.rows, a.e, w.q_columns, block);
  if (a.key_offsets)
    simd().gemm(false, false, a.distances(), x.rows, a.e, a.scale, in.key_offsets, a.e, w.q_columns, block,
                false, w.by_key, block);
}

// P^T = scale K Q^T, and what distance adds to it
inline void score(const Heads& a, const Inputs& in, const Tile& x, const Keys& keys, const Work& w) {
  simd().gemm(false, false, keys.count, x.rows, a.e, a.scale, w.k.from(keys.slot), w.k.step, w.q_columns,
              block, false, w.scores, block);
  if (a.key_offsets)
    for_distances(a, x, keys, [&](int64_t pair, int64_t distance) { w.scores[pair] += w.by_key[distance]; });
  if (!a.slopes) return;
  for (int64_t j = 0; j < keys.count; ++j) {
    const int64_t ahead = keys.slot + j - a.first - x.t;
    for (int64_t i = 0; i < x.rows; ++i)
      w.scores[j * block + i] -= in.slopes[x.h] * static_cast<real>(std::abs(ahead - i));
  }
}

}  // namespace heed::inline HEED_PRECISION::tiles
