#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/ops/attention_tiles.hpp"

namespace heed::inline HEED_PRECISION {

namespace {

using namespace tiles;

// Y = W V and, with U = W summed by distance, + U b; of each row log sum exp P, by which W can be had again.
void forward(const Heads& a, const Inputs& in, const Tile& x, Work& w, real* y, real* lse) {
  const auto& gemm = simd().gemm;
  const int64_t n = a.distances();
  y += x.y, lse += x.row;
  take_queries(a, in, x, w);
  std::fill_n(w.top, block, -std::numeric_limits<real>::infinity());
  std::fill_n(w.total, block, real(0));
  if (a.value_offsets) std::fill_n(w.w_sum, n * block, real(0));
  if (x.seen == 0)
    for (int64_t i = 0; i < x.rows; ++i) std::fill_n(y + i * a.y_step(), a.f, real(0));

  for_keys(a, x, w, [&](const Keys& keys) {
    score(a, in, x, keys, w);
    simd().attention(w.scores, block, keys.count, x.rows, keys.seen, keys.limit, w.top, w.total, w.shrink);
    const bool more = keys.slot > 0;
    for (int64_t i = 0; more && i < x.rows; ++i)
      if (w.shrink[i] != 1) simd().scale(w.shrink[i], y + i * a.y_step(), y + i * a.y_step(), a.f);
    gemm(true, false, x.rows, a.f, keys.count, 1, w.scores, block, w.v.from(keys.slot), w.v.step, more, y,
         a.y_step());
    if (!a.value_offsets) return;
    for (int64_t r = 0; r < n; ++r) simd().mul(w.w_sum + r * block, w.shrink, w.w_sum + r * block, x.rows);
    for_distances(a, x, keys, [&](int64_t pair, int64_t distance) { w.w_sum[distance] += w.scores[pair]; });
  });
  if (a.value_offsets)
    gemm(true, false, x.rows, a.f, n, 1, w.w_sum, block, in.value_offsets, a.f, true, y, a.y_step());
  for (int64_t i = 0; i < x.rows; ++i) {  // a query that sees nothing has weights and a context of 0
    real* row = y + i * a.y_step();
    simd().scale(w.total[i] == 0 ? real(0) : 1 / w.total[i], row, row, a.f);
    lse[i] = w.top[i] + std::log(w.total[i]);
  }
}

// W of one tile, for pictures: weights is (B, H, T, S).
void take_weights(const Heads& a, const Inputs& in, const Tile& x, Work& w, const real* lse, real* weights) {
  take_queries(a, in, x, w);
  std::copy_n(lse + x.row, x.rows, w.top);
  for_keys(a, x, w, [&](const Keys& keys) {
    score(a, in, x, keys, w);
    simd().attention_backward(w.scores, w.other, block, keys.count, x.rows, keys.seen, keys.limit, w.top,
                              w.shrink);
    for (int64_t i = 0; i < x.rows; ++i) {
      real* row = weights + (x.row + i) * a.slots + keys.slot;
      for (int64_t j = 0; j < keys.count; ++j) row[j] = w.scores[j * block + i];
    }
  });
}

// Where the gradients go; null where none is wanted.
struct Towards {
  real *q, *k, *v, *key_offsets, *value_offsets;
};

// From what the forward read, Y, dY, and with U, G = W, dP summed by distance:
//   Y = W V + U b        =>  dV += W^T dY,  db += U^T dY,  dW = dY V^T, and dY b^T by distance
//   W = softmax(P)       =>  dP = W (dW - mean),  mean = sum_j W_j dW_j = sum_f Y_f dY_f, row by row
//   P = scale Q K^T, and scale Q a^T by distance
//                        =>  dQ += scale (dP K + G a),  dK += scale dP^T Q,  da += scale G^T Q
// The slopes are constants.
void backward(const Heads& a, const Inputs& in, const Tile& x, Work& w, const real* y, const real* dy,
              const real* lse, const Towards& to) {
  const auto& gemm = simd().gemm;
  const int64_t n = a.distances();
  y += x.y, dy += x.y;
  take_queries(a, in, x, w);
  w.dy = Work::copy({dy, a.y_step()}, x.rows, a.f, w.gradients);
  simd().transpose(w.dy.data, w.dy.step, x.rows, a.f, w.dy_columns, block);
  if (a.value_offsets)
    gemm(false, false, n, x.rows, a.f, 1, in.value_offsets, a.f, w.dy_columns, block, false, w.by_value,
         block);
  std::copy_n(lse + x.row, x.rows, w.top);
  real* mean = w.total;
  for (int64_t i = 0; i < x.rows; ++i) mean[i] = simd().dot(y + i * a.y_step(), dy + i * a.y_step(), a.f);
  if (to.value_offsets != nullptr) std::fill_n(w.w_sum, n * block, real(0));
  if (a.key_offsets) std::fill_n(w.dp_sum, n * block, real(0));

  for_keys(a, x, w, [&](const Keys& keys) {
    const int64_t at_k = x.k + keys.slot * a.k_step(), at_v = x.v + keys.slot * a.v_step();
    score(a, in, x, keys, w);
    gemm(false, false, keys.count, x.rows, a.f, 1, w.v.from(keys.slot), w.v.step, w.dy_columns, block, false,
         w.other, block);
    if (a.value_offsets)
      for_distances(a, x, keys,
                    [&](int64_t pair, int64_t distance) { w.other[pair] += w.by_value[distance]; });
    simd().attention_backward(w.scores, w.other, block, keys.count, x.rows, keys.seen, keys.limit, w.top,
                              mean);
    if (to.v != nullptr)
      gemm(false, false, keys.count, a.f, x.rows, 1, w.scores, block, w.dy.data, w.dy.step, true, to.v + at_v,
           a.v_step());
    if (to.value_offsets != nullptr)
      for_distances(a, x, keys, [&](int64_t pair, int64_t distance) { w.w_sum[distance] += w.scores[pair]; });
    if (to.q != nullptr)
      gemm(true, false, x.rows, a.e, keys.count, a.scale, w.other, block, w.k.from(keys.slot), w.k.step, true,
           to.q + x.q, a.q_step());
    if (to.k != nullptr)
      gemm(false, false, keys.count, a.e, x.rows, a.scale, w.other, block, w.q.data, w.q.step, true,
           to.k + at_k, a.k_step());
    if (a.key_offsets)
      for_distances(a, x, keys, [&](int64_t pair, int64_t distance) { w.dp_sum[distance] += w.other[pair]; });
  });
  if (to.value_offsets != nullptr)
    gemm(false, false, n, a.f, x.rows, 1, w.w_sum, block, w.dy.data, w.dy.step, true, to.value_offsets, a.f);
  if (a.key_offsets && to.q != nullptr)
    gemm(true, false, x.rows, a.e, n, a.scale, w.dp_sum, block, in.key_offsets, a.e, true, to.q + x.q,
         a.q_step());
  if (to.key_offsets != nullptr)
    gemm(false, false, n, a.e, x.rows, a.scale, w.dp_sum, block, w.q.data, w.q.step, true, to.key_offsets,
         a.e);
}

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
  return {mask, q.size(0), q.size(1), k.size(1),   how.heads, kv_heads, e,
          f,    how.scale, how.first, offsets / 2, keys,      values,   how.slopes.defined()};
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

}  // namespace

Tensor dot_attention(const Tensor& q, const Tensor& k, const Tensor& v, const DotAttention& how,
                     const Mask& mask, Tensor* weights) {
  const Heads a = plan(q, k, v, how, mask);
  Tensor y = Tensor::empty({a.batch, a.queries, a.y_step()});
  Buffer lse(a.batch * a.heads * a.queries);
  if (weights != nullptr) *weights = Tensor::zeros({a.batch, a.heads, a.queries, a.slots});
  const Inputs in{
      q.data(),           k.data(), v.data(), data_of(how.key_offsets), data_of(how.value_offsets),
      data_of(how.slopes)};
  for_tiles(a, in,
            [&, to = y.mutable_data(), sums = lse.mutable_data(),
             picture = weights == nullptr ? nullptr : weights->mutable_data()](const Tile& x, Work& w) {
              forward(a, in, x, w, to, sums);
              if (picture != nullptr) take_weights(a, in, x, w, sums, picture);
            });
  return record("dot_attention", y, {&q, &k, &v, &how.key_offsets, &how.value_offsets},
                [a, q = Saved(q), k = Saved(k), v = Saved(v), ka = Saved(how.key_offsets),
                 va = Saved(how.value_offsets), slopes = Saved(how.slopes), y = Saved(y),
                 lse = Saved(lse)](Gradients& g) {
                  const int64_t items = a.batch * a.kv_heads, n = a.distances();
                  const Shares dka(a.key_offsets ? g.input(3) : nullptr, items, n * a.e);
                  const Shares dva(a.value_offsets ? g.input(4) : nullptr, items, n * a.f);
                  const Inputs in{q.data(), k.data(), v.data(), data_of(ka), data_of(va), data_of(slopes)};
                  for_tiles(a, in,
                            [&, dq = g.input(0), dk = g.input(1), dv = g.input(2), dy = g.output(),
                             y = y.data(), lse = lse.data()](const Tile& x, Work& w) {
                              const int64_t item = x.b * a.kv_heads + x.h / a.shared();
                              backward(a, in, x, w, y, dy, lse, {dq, dk, dv, dka.of(item), dva.of(item)});
                            });
                  dka.add_up();
                  dva.add_up();
                });
}

}  // namespace heed::inline HEED_PRECISION
