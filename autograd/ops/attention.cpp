#include <algorithm>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

namespace heed::inline HEED_PRECISION {

namespace {

struct AdditiveShape {
  Mask mask;
  int64_t batch, queries, slots, size;
};

}  // namespace

// The tensor tanh(q + k) of (B, T, S, A) is never stored: the backward computes it again, slot by slot, which
// costs less than reading it would.
Tensor additive_scores(const Tensor& q, const Tensor& k, const Tensor& v, const Mask& mask) {
  check_defined("additive_scores", q, k, v);
  if (q.rank() != 3 || k.rank() != 3 || q.size(0) != k.size(0) || q.size(2) != k.size(2) ||
      v.shape() != Shape{q.size(2)}) {
    fail("additive_scores: q {}, k {}, v {}: (B, T, A), (B, S, A), (A) were expected", q.shape().text(),
         k.shape().text(), v.shape().text());
  }
  const AdditiveShape s{mask, q.size(0), q.size(1), k.size(1), q.size(2)};
  mask.check("additive_scores", s.batch, s.slots);
  Tensor scores = Tensor::zeros({s.batch, s.queries, s.slots});
  parallel_for(s.batch * s.queries, grain(0.7 * static_cast<double>(s.slots * s.size)),
               [&, pq = q.data(), pk = k.data(), pv = v.data(), out = scores.mutable_data()](int64_t begin,
                                                                                             int64_t end) {
                 for (int64_t row = begin; row < end; ++row) {
                   const int64_t b = row / s.queries;
                   simd().additive(pq + row * s.size, pk + b * s.slots * s.size, pv, out + row * s.slots,
                                   s.mask.visible(b, row % s.queries, s.slots), s.size);
                 }
               });
  return record(
      "additive_scores", scores, {&q, &k, &v}, [s, q = Saved(q), k = Saved(k), v = Saved(v)](Gradients& g) {
        const real* dscores = g.output();
        real* dq = g.input(0);
        real* dk = g.input(1);
        real* dv = g.input(2);
        // Threads split the batch. Each element of it has a dv of its own, and these are added in order.
        Buffer shares = dv != nullptr ? Buffer::zeros(s.batch * s.size) : Buffer();
        real* share = dv != nullptr ? shares.mutable_data() : nullptr;
        const real* pq = q.data();
        const real* pk = k.data();
        const real* pv = v.data();
        parallel_for(s.batch, grain(1.5 * static_cast<double>(s.queries * s.slots * s.size)),
                     [&](int64_t begin, int64_t end) {
                       for (int64_t row = begin * s.queries; row < end * s.queries; ++row) {
                         const int64_t b = row / s.queries;
                         const int64_t keys = b * s.slots * s.size;
                         simd().additive_backward(pq + row * s.size, pk + keys, pv, dscores + row * s.slots,
                                                  dq != nullptr ? dq + row * s.size : nullptr,
                                                  dk != nullptr ? dk + keys : nullptr,
                                                  share != nullptr ? share + b * s.size : nullptr,
                                                  s.mask.visible(b, row % s.queries, s.slots), s.size);
                       }
                     });
        if (dv != nullptr) simd().sum_rows(share, dv, s.batch, s.size);
      });
}

namespace {

// Attention of one head of one batch element, in tiles of query rows: only a tile's scores exist at a time.
// Of a tensor (B, T, H E), head h of element b is the T x E matrix at (b T H + h) E whose rows are H E apart.
struct Heads {
  Mask mask;
  int64_t batch, queries, slots, heads, e, f;  // e features of a key, f of a value
  real scale;

  static constexpr int64_t tile = 64;  // queries whose scores are alive together

  [[nodiscard]] int64_t q_step() const { return heads * e; }
  [[nodiscard]] int64_t v_step() const { return heads * f; }
  [[nodiscard]] int64_t at_q(int64_t b, int64_t h, int64_t t) const {
    return ((b * queries + t) * heads + h) * e;
  }
  [[nodiscard]] int64_t at_k(int64_t b, int64_t h) const { return (b * slots * heads + h) * e; }
  [[nodiscard]] int64_t at_v(int64_t b, int64_t h) const { return (b * slots * heads + h) * f; }
  [[nodiscard]] int64_t at_y(int64_t b, int64_t h, int64_t t) const {
    return ((b * queries + t) * heads + h) * f;
  }

  // Calls body(b, h, first query, queries, slots that any of them sees) for every tile. Tiles of one (b, h)
  // stay together on one thread, because the backward adds them into the same keys and values.
  template <class F>
  void for_tiles(F body) const {
    const double scores = static_cast<double>(queries) * static_cast<double>(slots);
    parallel_for(batch * heads, grain(scores * (1 + 0.04 * static_cast<double>(e + f))),
                 [&](int64_t begin, int64_t end) {
                   Buffer scratch(2 * tile * slots);
                   for (int64_t i = begin; i < end; ++i) {
                     for (int64_t t = 0; t < queries; t += tile) {
                       const int64_t rows = std::min(tile, queries - t);
                       body(i / heads, i % heads, t, rows, mask.visible(i / heads, t + rows - 1, slots),
                            scratch.mutable_data());
                     }
                   }
                 });
  }

  // weights = softmax(scale q k^T) of a tile, rows `seen` apart
  void weigh(const real* q, const real* k, int64_t b, int64_t t, int64_t rows, int64_t seen,
             real* weights) const {
    simd().gemm(false, true, rows, seen, e, scale, q, q_step(), k, q_step(), false, weights, seen);
    for (int64_t r = 0; r < rows; ++r) {
      real* row = weights + r * seen;
      const int64_t n = std::min(seen, mask.visible(b, t + r, slots));
      simd().softmax(row, mask.bytes(b, slots), row, n);
      std::fill(row + n, row + seen, real(0));
    }
  }
};

Heads plan(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads, real scale, const Mask& mask) {
  check_defined("dot_attention", q, k, v);
  if (q.rank() != 3 || k.rank() != 3 || v.rank() != 3 || q.size(0) != k.size(0) || q.size(2) != k.size(2) ||
      v.size(0) != k.size(0) || v.size(1) != k.size(1)) {
    fail("dot_attention: q {}, k {}, v {}: (B, T, H E), (B, S, H E), (B, S, H F) were expected",
         q.shape().text(), k.shape().text(), v.shape().text());
  }
  if (heads < 1 || q.size(2) % heads != 0 || v.size(2) % heads != 0) {
    fail("dot_attention: {} heads do not divide the features of q {} and v {}", heads, q.shape().text(),
         v.shape().text());
  }
  mask.check("dot_attention", q.size(0), k.size(1));
  return {mask, q.size(0), q.size(1), k.size(1), heads, q.size(2) / heads, v.size(2) / heads, scale};
}

}  // namespace

// Forward, per tile: W = softmax(scale Q K^T), Y = W V.
// Backward computes W again and then, line by line:
//   Y = W V              =>  dV += W^T dY,  dW = dY V^T
//   W = softmax(P)       =>  dP = W (dW - sum_j W_j dW_j), row by row
//   P = scale Q K^T      =>  dQ += scale dP K,  dK += scale dP^T Q
Tensor dot_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads, real scale,
                     const Mask& mask, Tensor* weights) {
  const Heads a = plan(q, k, v, heads, scale, mask);
  Tensor y = Tensor::empty({a.batch, a.queries, heads * a.f});
  if (weights != nullptr) *weights = Tensor::zeros({a.batch, heads, a.queries, a.slots});
  real* all_weights = weights != nullptr ? weights->mutable_data() : nullptr;
  a.for_tiles([&, pq = q.data(), pk = k.data(), pv = v.data(), py = y.mutable_data()](
                  int64_t b, int64_t h, int64_t t, int64_t rows, int64_t seen, real* w) {
    a.weigh(pq + a.at_q(b, h, t), pk + a.at_k(b, h), b, t, rows, seen, w);
    simd().gemm(false, false, rows, a.f, seen, 1, w, seen, pv + a.at_v(b, h), a.v_step(), false,
                py + a.at_y(b, h, t), a.v_step());
    if (all_weights == nullptr) return;
    real* to = all_weights + ((b * heads + h) * a.queries + t) * a.slots;
    for (int64_t r = 0; r < rows; ++r) std::copy_n(w + r * seen, seen, to + r * a.slots);
  });
  return record(
      "dot_attention", y, {&q, &k, &v}, [a, q = Saved(q), k = Saved(k), v = Saved(v)](Gradients& g) {
        const real* dy = g.output();
        real* dq = g.input(0);
        real* dk = g.input(1);
        real* dv = g.input(2);
        a.for_tiles([&, pq = q.data(), pk = k.data(), pv = v.data()](int64_t b, int64_t h, int64_t t,
                                                                     int64_t rows, int64_t seen, real* w) {
          const int64_t at_q = a.at_q(b, h, t);
          const int64_t at_k = a.at_k(b, h);
          const int64_t at_v = a.at_v(b, h);
          const int64_t qs = a.q_step();
          const int64_t vs = a.v_step();
          const real* dyt = dy + a.at_y(b, h, t);
          a.weigh(pq + at_q, pk + at_k, b, t, rows, seen, w);
          if (dv != nullptr)
            simd().gemm(true, false, seen, a.f, rows, 1, w, seen, dyt, vs, true, dv + at_v, vs);
          if (dq == nullptr && dk == nullptr) return;
          real* dw = w + Heads::tile * a.slots;
          simd().gemm(false, true, rows, seen, a.f, 1, dyt, vs, pv + at_v, vs, false, dw, seen);
          for (int64_t r = 0; r < rows; ++r) {
            real* wr = w + r * seen;  // dP = W dW - W (W . dW), in W's place
            real* dwr = dw + r * seen;
            const real mean = simd().dot(wr, dwr, seen);
            for (int64_t j = 0; j < seen; ++j) wr[j] *= dwr[j] - mean;
          }
          if (dq != nullptr)
            simd().gemm(false, false, rows, a.e, seen, a.scale, w, seen, pk + at_k, qs, true, dq + at_q, qs);
          if (dk != nullptr)
            simd().gemm(true, false, seen, a.e, rows, a.scale, w, seen, pq + at_q, qs, true, dk + at_k, qs);
        });
      });
}

}  // namespace heed::inline HEED_PRECISION
