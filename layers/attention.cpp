#include "layers/attention.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {

void Past::check(const char* who, int64_t batch, int64_t slots) const {
  const Shape wanted{batch, slots};
  if (!weights.defined() || weights.shape() == wanted) return;
  fail("{}: a past of {} for a memory of {}; a past belongs to one memory, which does not grow", who,
       weights.shape().text(), wanted.text());
}

void Past::see(const Tensor& seen) {
  check("Past::see", seen.size(0), seen.size(2));
  const int64_t queries = seen.size(1);
  steps += queries;
  weights = heed::select(seen, 1, queries - 1);
  if (!keep_coverage) return;
  const Tensor total = queries == 1 ? weights : sum(seen, 1);
  coverage = coverage.defined() ? coverage + total : total;
}

Past Past::select(std::span<const int32_t> rows) const {
  if (!weights.defined()) return *this;
  Past selected = *this;
  selected.weights = select_rows(weights, rows);
  if (coverage.defined()) selected.coverage = select_rows(coverage, rows);
  return selected;
}

Attended attend(const Tensor& query, const Memory& memory, const Scorer& scorer, const Normalizer& normalizer,
                const Pass& pass, Past* past) {
  if (query.rank() == 2) {
    const int64_t batch = query.size(0);
    const Attended one =
        attend(query.reshape({batch, 1, query.size(1)}), memory, scorer, normalizer, pass, past);
    const auto flat = [batch](const Tensor& x) { return x.reshape({batch, x.size(2)}); };
    return {flat(one.context), flat(one.weights), flat(one.probabilities)};
  }
  if (query.rank() != 3) fail("attend: the query is {}, wants (B, T, Q) or (B, Q)", query.shape().text());
  memory.check("attend", query.size(0));
  if (past != nullptr) past->check("attend", memory.batch(), memory.slots());
  const auto [weights, probabilities] = normalizer(
      scorer(query, memory), memory.mask, {.query = query, .past = past ? *past : Past{}, .pass = pass});
  if (past != nullptr) past->see(weights);
  return {matmul(weights, memory.values), weights, probabilities};
}

}  // namespace heed::inline HEED_PRECISION
