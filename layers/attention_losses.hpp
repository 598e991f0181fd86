#pragma once

#include <span>

#include "autograd/ids.hpp"
#include "autograd/tensor.hpp"

// What a training loss may add to say where attention should look. Each takes weights (B, T, S) with their
// graph and gives a scalar, to be added to the task's loss with a factor.

namespace heed::inline HEED_PRECISION {

// Which part of each row's weights is real: the first `queries[b]` of T, the first `slots[b]` of S; none:
// all.
struct Extent {
  std::span<const int32_t> queries = {};
  std::span<const int32_t> slots = {};
};

// sum_s min(a_ts, c_ts), c_ts = a_1s + .. + a_(t-1)s: a query that sees again what was seen before pays
// (See et al. 2017, eq. 10 and 12; their eq. 13 adds it with factor 1). The mean over all queries. Where
// a = c the gradient goes to c.
Tensor coverage_loss(const Tensor& weights, const Extent& extent = {});

// sum_s (1 - sum_t a_ts)^2: every slot is to get a weight of 1 in all (Xu et al. 2015, eq. 14, "doubly
// stochastic attention"). The mean over rows.
Tensor doubly_stochastic_loss(const Tensor& weights, const Extent& extent = {});

// The mean over t and s of a_ts W_ts, W_ts = 1 - exp(-(s/S - t/T)^2 / (2 g^2)): weights far from the diagonal
// pay (Tachibana et al. 2017, section 4, "guided attention", who take g = 0.2). s and t count from 0, S and T
// are each row's own. The mean over rows. Throws unless g > 0.
Tensor guided_attention_loss(const Tensor& weights, real g = real(0.2), const Extent& extent = {});

// -log a_t,gold_t, the cross entropy of the weights against a known alignment: gold (B, T), -1: this query
// has none. The mean over the queries that have one; 0 if none has. A weight below the smallest normal number
// counts as that, with gradient 0. Throws on a gold slot outside [-1, S).
Tensor alignment_loss(const Tensor& weights, const Ids& gold);

}  // namespace heed::inline HEED_PRECISION
