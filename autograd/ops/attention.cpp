#include <algorithm>
#include <cmath>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

namespace heed::inline HEED_PRECISION {

namespace {

// Which row of the offsets a slot has for a query that stands at slot `at`: clip(s - at, -R, R) + R.
struct Distances {
  int64_t reach = 0;  // R
  [[nodiscard]] int64_t rows() const { return 2 * reach + 1; }
  [[nodiscard]] int64_t row(int64_t s, int64_t at) const { return std::clamp(s - at, -reach, reach) + reach; }

  // scores_s += of_row_r, by each slot's row
  void spread(const real* of_row, int64_t at, real* scores, int64_t seen) const {
    for (int64_t s = 0; s < seen; ++s) scores[s] += of_row[row(s, at)];
  }
  // of_row_r = sum of weights_s over the slots of that row
  void collect(const real* weights, int64_t at, int64_t seen, real* of_row) const {
    std::fill_n(of_row, rows(), real(0));
    for (int64_t s = 0; s < seen; ++s) of_row[row(s, at)] += weights[s];
  }
};

// Attention of one head of one batch element, in tiles of query rows: only a tile's scores exist at a time.
// Of a tensor (B, T, H E), head h of element b is the T x E matrix at (b T H + h) E whose rows are H E apart.
struct Heads {
  Mask mask;
  int64_t batch, queries, slots, heads, kv_heads, e, f;  // e features of a key, f of a value
  real scale;
  int64_t first;  // the slot at which query 0 stands
  Distances distances;
  bool key_offsets, value_offsets, slopes;

  static constexpr int64_t tile = 64;  // queries whose scores are alive together

  [[nodiscard]] int64_t q_step() const { return heads * e; }
  [[nodiscard]] int64_t k_step() const { return kv_heads * e; }
  [[nodiscard]] int64_t v_step() const { return kv_heads * f; }
  [[nodiscard]] int64_t y_step() const { return heads * f; }
  [[nodiscard]] int64_t shared() const { return heads / kv_heads; }  // heads that read one key-value head
  [[nodiscard]] int64_t at_q(int64_t b, int64_t h, int64_t t) const {
    return ((b * queries + t) * heads + h) * e;
  }
  [[nodiscard]] int64_t at_k(int64_t b, int64_t h) const { return (b * slots * kv_heads + h / shared()) * e; }
  [[nodiscard]] int64_t at_v(int64_t b, int64_t h) const { return (b * slots * kv_heads + h / shared()) * f; }
  [[nodiscard]] int64_t at_y(int64_t b, int64_t h, int64_t t) const {
    return ((b * queries + t) * heads + h) * f;
  }

  // `rows` queries of head h of element b, from query t on, and the slots that any of them sees.
  struct Tile {
    int64_t b, h, t, rows, seen;
    real *weights, *other;         // (rows, seen) each
    real *by_distance, *by_other;  // (rows, 2R + 1) each, where there are offsets
  };

  // Calls body(tile) for every tile. Those of one key-value head stay together on one thread, because the
  // backward adds them into the same keys and values.
  template <class F>
  void for_tiles(F body) const {
    const double scores = double(queries) * double(slots) * double(shared());
    parallel_for(batch * kv_heads, grain(scores * (1 + 0.04 * double(e + f))),
                 [&](int64_t begin, int64_t end) {
                   const int64_t span = key_offsets || value_offsets ? distances.rows() : 0;
                   Buffer scratch(2 * tile * (slots + span));
                   real* weights = scratch.mutable_data();
                   real* by_distance = weights + 2 * tile * slots;
                   for (int64_t i = begin * shared(); i < end * shared(); ++i)
                     for (int64_t t = 0; t < queries; t += tile) {
                       const int64_t rows = std::min(tile, queries - t);
                       body(Tile{i / heads, i % heads, t, rows, mask.visible(i / heads, t + rows - 1, slots),
                                 weights, weights + tile * slots, by_distance, by_distance + tile * span});
                     }
                 });
  }

  [[nodiscard]] int64_t place(const Tile& x, int64_t r) const { return first + x.t + r; }

  // scores = scale q k^T, and what distance adds to them
  void score(const Tile& x, const real* q, const real* k, const real* offsets, const real* slope) const {
    real* scores = x.weights;
    simd().gemm(false, true, x.rows, x.seen, e, scale, q, q_step(), k, k_step(), false, scores, x.seen);
    if (key_offsets) {
      const int64_t n = distances.rows();
      simd().gemm(false, true, x.rows, n, e, scale, q, q_step(), offsets, e, false, x.by_distance, n);
      for (int64_t r = 0; r < x.rows; ++r)
        distances.spread(x.by_distance + r * n, place(x, r), scores + r * x.seen, x.seen);
    }
    if (!slopes) return;
    for (int64_t r = 0; r < x.rows; ++r)
      for (int64_t s = 0; s < x.seen; ++s)
        scores[r * x.seen + s] -= slope[x.h] * static_cast<real>(std::abs(s - place(x, r)));
  }

  // weights = softmax(scores) of a tile, in their place
  void normalize(const Tile& x) const {
    for (int64_t r = 0; r < x.rows; ++r) {
      real* row = x.weights + r * x.seen;
      const int64_t n = std::min(x.seen, mask.visible(x.b, x.t + r, slots));
      simd().softmax(row, mask.bytes(x.b, slots), row, n);
      std::fill(row + n, row + x.seen, real(0));
    }
  }

  // by_distance = each row's weights, or whatever stands in their place, summed by distance
  void collect(const Tile& x) const {
    for (int64_t r = 0; r < x.rows; ++r)
      distances.collect(x.weights + r * x.seen, place(x, r), x.seen, x.by_distance + r * distances.rows());
  }

  // dP = W (dW - sum_j W_j dW_j), row by row, in W's place
  static void scores_backward(const Tile& x) {
    for (int64_t r = 0; r < x.rows; ++r) {
      real* w = x.weights + r * x.seen;
      const real* dw = x.other + r * x.seen;
      const real mean = simd().dot(w, dw, x.seen);
      for (int64_t j = 0; j < x.seen; ++j) w[j] *= dw[j] - mean;
    }
  }
};

void check_offsets(const char* name, const Tensor& offsets, int64_t features) {
  if (!offsets.defined()) return;
  if (offsets.rank() == 2 && offsets.size(0) % 2 == 1 && offsets.size(1) == features) return;
  fail("dot_attention: {} are {}, wants (2R + 1, {})", name, offsets.shape().text(), features);
}

Heads plan(const Tensor& q, const Tensor& k, const Tensor& v, const DotAttention& how, const Mask& mask) {
  check_defined("dot_attention", q, k, v);
  const int64_t kv_heads = how.kv_heads == 0 ? how.heads : how.kv_heads;
  if (q.rank() != 3 || k.rank() != 3 || v.rank() != 3 || q.size(0) != k.size(0) || v.size(0) != k.size(0) ||
      v.size(1) != k.size(1)) {
    fail("dot_attention: q {}, k {}, v {}: (B, T, H E), (B, S, G E), (B, S, G F) were expected",
         q.shape().text(), k.shape().text(), v.shape().text());
  }
  if (how.heads < 1 || kv_heads < 1 || how.heads % kv_heads != 0) {
    fail("dot_attention: {} heads cannot share {} key-value heads evenly", how.heads, kv_heads);
  }
  if (q.size(2) % how.heads != 0 || v.size(2) % kv_heads != 0 ||
      k.size(2) != q.size(2) / how.heads * kv_heads) {
    fail("dot_attention: {} heads, {} of keys and values, do not divide the features of q {}, k {}, v {}",
         how.heads, kv_heads, q.shape().text(), k.shape().text(), v.shape().text());
  }
  const int64_t e = q.size(2) / how.heads, f = v.size(2) / kv_heads;
  check_offsets("key offsets", how.key_offsets, e);
  check_offsets("value offsets", how.value_offsets, f);
  const bool keys = how.key_offsets.defined(), values = how.value_offsets.defined();
  if (keys && values && how.key_offsets.size(0) != how.value_offsets.size(0)) {
    fail("dot_attention: key offsets {} and value offsets {} reach differently far",
         how.key_offsets.shape().text(), how.value_offsets.shape().text());
  }
  if (how.slopes.defined() && how.slopes.shape() != Shape{how.heads}) {
    fail("dot_attention: slopes are {}, wants ({})", how.slopes.shape().text(), how.heads);
  }
  mask.check("dot_attention", q.size(0), k.size(1));
  const int64_t offsets = keys ? how.key_offsets.size(0) : values ? how.value_offsets.size(0) : 1;
  return {mask, q.size(0), q.size(1), k.size(1),     how.heads, kv_heads, e,
          f,    how.scale, how.first, {offsets / 2}, keys,      values,   how.slopes.defined()};
}

const real* data_of(const Tensor& x) { return x.defined() ? x.data() : nullptr; }
const real* data_of(const Saved& x) { return x ? x.data() : nullptr; }

// What the threads add into one tensor of offsets: one share per key-value head, added up in order.
class Shares {
 public:
  Shares(real* total, int64_t count, int64_t size)
      : total_(total), count_(count), size_(size), shares_(total ? Buffer::zeros(count * size) : Buffer()) {
    if (total != nullptr) first_ = shares_.mutable_data();
  }
  [[nodiscard]] real* of(int64_t i) const { return first_ == nullptr ? nullptr : first_ + i * size_; }
  void add_up() const {
    if (total_ != nullptr) simd().sum_rows(first_, total_, count_, size_);
  }

 private:
  real *total_, *first_ = nullptr;
  int64_t count_, size_;
  Buffer shares_;
};

// Where the gradients go; null where none is wanted.
struct Towards {
  real *q, *k, *v, *key_offsets, *value_offsets;
};

// Of one tile, from what the forward read and dY:
//   Y = W V + U b        =>  dV += W^T dY,  db += U^T dY,  dW = dY V^T, and dY b^T by distance
//   W = softmax(P)       =>  dP = W (dW - sum_j W_j dW_j), row by row
//   P = scale Q K^T, and scale Q a^T by distance  =>  with G = dP summed by distance:
//                            dQ += scale (dP K + G a),  dK += scale dP^T Q,  da += scale G^T Q
// where U is W summed by distance. The slopes are constants.
void tile_backward(const Heads& a, const Heads::Tile& x, const real* q, const real* k, const real* v,
                   const real* key_offsets, const real* value_offsets, const real* dy, const Towards& to) {
  const auto& gemm = simd().gemm;
  const int64_t n = a.distances.rows();
  if (to.v != nullptr)
    gemm(true, false, x.seen, a.f, x.rows, 1, x.weights, x.seen, dy, a.y_step(), true, to.v, a.v_step());
  if (to.value_offsets != nullptr) {
    a.collect(x);
    gemm(true, false, n, a.f, x.rows, 1, x.by_distance, n, dy, a.y_step(), true, to.value_offsets, a.f);
  }
  if (to.q == nullptr && to.k == nullptr && to.key_offsets == nullptr) return;
  gemm(false, true, x.rows, x.seen, a.f, 1, dy, a.y_step(), v, a.v_step(), false, x.other, x.seen);
  if (a.value_offsets) {
    gemm(false, true, x.rows, n, a.f, 1, dy, a.y_step(), value_offsets, a.f, false, x.by_other, n);
    for (int64_t r = 0; r < x.rows; ++r)
      a.distances.spread(x.by_other + r * n, a.place(x, r), x.other + r * x.seen, x.seen);
  }
  Heads::scores_backward(x);  // dP stands in W's place
  if (to.q != nullptr)
    gemm(false, false, x.rows, a.e, x.seen, a.scale, x.weights, x.seen, k, a.k_step(), true, to.q,
         a.q_step());
  if (to.k != nullptr)
    gemm(true, false, x.seen, a.e, x.rows, a.scale, x.weights, x.seen, q, a.q_step(), true, to.k, a.k_step());
  if (!a.key_offsets) return;
  a.collect(x);
  if (to.q != nullptr)
    gemm(false, false, x.rows, a.e, n, a.scale, x.by_distance, n, key_offsets, a.e, true, to.q, a.q_step());
  if (to.key_offsets != nullptr)
    gemm(true, false, n, a.e, x.rows, a.scale, x.by_distance, n, q, a.q_step(), true, to.key_offsets, a.e);
}

}  // namespace

// Forward, per tile: P = scale Q K^T and what distance adds, W = softmax(P), Y = W V, and U b where values
// have offsets b, U being W summed by distance. The backward computes W again (tile_backward).
Tensor dot_attention(const Tensor& q, const Tensor& k, const Tensor& v, const DotAttention& how,
                     const Mask& mask, Tensor* weights) {
  const Heads a = plan(q, k, v, how, mask);
  Tensor y = Tensor::empty({a.batch, a.queries, a.y_step()});
  if (weights != nullptr) *weights = Tensor::zeros({a.batch, a.heads, a.queries, a.slots});
  real* all_weights = weights != nullptr ? weights->mutable_data() : nullptr;
  a.for_tiles([&, pq = q.data(), pk = k.data(), pv = v.data(), ka = data_of(how.key_offsets),
               va = data_of(how.value_offsets), slopes = data_of(how.slopes),
               py = y.mutable_data()](const Heads::Tile& x) {
    a.score(x, pq + a.at_q(x.b, x.h, x.t), pk + a.at_k(x.b, x.h), ka, slopes);
    a.normalize(x);
    real* to = py + a.at_y(x.b, x.h, x.t);
    simd().gemm(false, false, x.rows, a.f, x.seen, 1, x.weights, x.seen, pv + a.at_v(x.b, x.h), a.v_step(),
                false, to, a.y_step());
    if (a.value_offsets) {
      const int64_t n = a.distances.rows();
      a.collect(x);
      simd().gemm(false, false, x.rows, a.f, n, 1, x.by_distance, n, va, a.f, true, to, a.y_step());
    }
    if (all_weights == nullptr) return;
    real* row = all_weights + ((x.b * a.heads + x.h) * a.queries + x.t) * a.slots;
    for (int64_t r = 0; r < x.rows; ++r) std::copy_n(x.weights + r * x.seen, x.seen, row + r * a.slots);
  });
  return record(
      "dot_attention", y, {&q, &k, &v, &how.key_offsets, &how.value_offsets},
      [a, q = Saved(q), k = Saved(k), v = Saved(v), ka = Saved(how.key_offsets),
       va = Saved(how.value_offsets), slopes = Saved(how.slopes)](Gradients& g) {
        const int64_t items = a.batch * a.kv_heads, n = a.distances.rows();
        const Shares dka(a.key_offsets ? g.input(3) : nullptr, items, n * a.e);
        const Shares dva(a.value_offsets ? g.input(4) : nullptr, items, n * a.f);
        a.for_tiles([&, dq = g.input(0), dk = g.input(1), dv = g.input(2), dy = g.output(), pq = q.data(),
                     pk = k.data(), pv = v.data(), pka = data_of(ka), pva = data_of(va),
                     ps = data_of(slopes)](const Heads::Tile& x) {
          const int64_t at_q = a.at_q(x.b, x.h, x.t), at_k = a.at_k(x.b, x.h), at_v = a.at_v(x.b, x.h);
          const int64_t item = x.b * a.kv_heads + x.h / a.shared();
          const auto at = [](real* p, int64_t offset) { return p == nullptr ? nullptr : p + offset; };
          a.score(x, pq + at_q, pk + at_k, pka, ps);
          a.normalize(x);
          tile_backward(a, x, pq + at_q, pk + at_k, pv + at_v, pka, pva, dy + a.at_y(x.b, x.h, x.t),
                        {at(dq, at_q), at(dk, at_k), at(dv, at_v), dka.of(item), dva.of(item)});
        });
        dka.add_up();
        dva.add_up();
      });
}

}  // namespace heed::inline HEED_PRECISION
