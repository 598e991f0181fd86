#include <algorithm>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

namespace heed::inline HEED_PRECISION {

namespace {

void check_alignment(const char* op, const Tensor& p, const Tensor& first) {
  check_defined(op, p, first);
  if (p.rank() == 3 && first.shape() == p.shape().without(1)) return;
  fail("{}: p {} and first {}: (B, T, S) and (B, S) were expected", op, p.shape().text(),
       first.shape().text());
}

}  // namespace

// Query t walks on from where query t - 1 stopped: at slot s it stops with probability p_ts, else goes on.
// q_ts, the probability that it comes by slot s, is that it went on from s - 1, or began at s:
//   q_ts = (1 - p_t,s-1) q_t,s-1 + a_t-1,s      a_ts = p_ts q_ts
// (Raffel et al. 2017, eq. 13 and 14; no slot before the first: q_t,-1 = 0). No division, so exact for any p.
//
// Backward, all in reverse. With da_ts = dL/da_ts of the output plus dq_t+1,s (a_ts begins q_t+1,s):
//   q_ts is in a_ts and in q_t,s+1:   dq_ts = p_ts da_ts + (1 - p_ts) dq_t,s+1
//   p_ts likewise:                    dp_ts = q_ts da_ts - q_ts dq_t,s+1
//   a_t-1,s is in q_ts:               da_t-1,s += dq_ts, and for t = 0: dfirst_s = dq_0s
Tensor monotonic(const Tensor& p, const Tensor& first) {
  check_alignment("monotonic", p, first);
  const int64_t batch = p.size(0), queries = p.size(1), slots = p.size(2);
  Tensor a = empty_like(p);
  Buffer q(p.size());
  for (int64_t b = 0; b < batch; ++b) {
    const real* before = first.data() + b * slots;
    for (int64_t t = 0; t < queries; ++t) {
      const int64_t row = (b * queries + t) * slots;
      const real* stop = p.data() + row;
      real* come = q.mutable_data() + row;
      real* out = a.mutable_data() + row;
      for (int64_t s = 0; s < slots; ++s) {
        come[s] = before[s] + (s == 0 ? 0 : (1 - stop[s - 1]) * come[s - 1]);
        out[s] = stop[s] * come[s];
      }
      before = out;
    }
  }
  return record("monotonic", a, {&p, &first}, [=, p = Saved(p), q = Saved(q)](Gradients& g) {
    real* dp = g.input(0);
    real* dfirst = g.input(1);
    Buffer later(slots);  // dq of query t + 1
    for (int64_t b = 0; b < batch; ++b) {
      real* dq = later.mutable_data();
      std::fill(dq, dq + slots, real(0));
      for (int64_t t = queries - 1; t >= 0; --t) {
        const int64_t row = (b * queries + t) * slots;
        real next = 0;  // dq_t,s+1
        for (int64_t s = slots - 1; s >= 0; --s) {
          const real da = g.output()[row + s] + dq[s];
          if (dp != nullptr) dp[row + s] += q[row + s] * (da - next);
          next = p[row + s] * da + (1 - p[row + s]) * next;
          dq[s] = next;
        }
      }
      if (dfirst != nullptr) simd().axpy(1, dq, dfirst + b * slots, slots);
    }
  });
}

Tensor monotonic_parallel(const Tensor& p, const Tensor& first) {
  check_alignment("monotonic_parallel", p, first);
  const Tensor past = exp(cumsum(log(shift(neg(p), 1)), -1, true));  // prod_r<s (1 - p_tr)
  TensorList rows;
  Tensor a = first;
  for (int64_t t = 0; t < p.size(1); ++t) {
    const Tensor by = select(past, 1, t);
    a = select(p, 1, t) * by * cumsum(a / by, -1);
    rows.push_back(a);
  }
  return stack(rows, 1);
}

}  // namespace heed::inline HEED_PRECISION
