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

}  // namespace heed::inline HEED_PRECISION
