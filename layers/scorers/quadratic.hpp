#pragma once

#include "autograd/ops.hpp"
#include "layers/attention.hpp"

namespace heed::inline HEED_PRECISION {

// score_ts = -alpha (s - t - shift)^2, whatever query and key hold: relative positions alone, highest at the
// slot `shift` behind the query's number (Cordonnier et al. 2020, lemma 2, in one dimension). Their proof
// that attention can be a convolution: with alpha so large that softmax gives all to one slot, a head for
// each of K shifts reads what tap k of the convolution reads. No parameters: shift and alpha are given, which
// is why it is not in the list of scorers.
struct Quadratic : Scorer {
  explicit Quadratic(int64_t shift, real alpha = 1000) : shift(shift), alpha(alpha) {}

  Tensor operator()(const Tensor& query, const Memory& memory) const override {
    const int64_t queries = query.size(1), slots = memory.slots();
    Tensor scores = Tensor::empty({queries, slots});
    for (int64_t t = 0; t < queries; ++t) {
      for (int64_t s = 0; s < slots; ++s) {
        const auto off = static_cast<real>(s - t - shift);
        scores.mutable_data()[t * slots + s] = -alpha * off * off;
      }
    }
    return expand(scores, {query.size(0), queries, slots});
  }

  int64_t shift;
  real alpha;
};

}  // namespace heed::inline HEED_PRECISION
