#include "layers/attention.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {

Attended attend(const Tensor& query, const Memory& memory, const Scorer& scorer, const Normalizer& normalizer,
                const Pass& pass) {
  if (query.rank() == 2) {
    const int64_t batch = query.size(0);
    const auto [context, weights] =
        attend(query.reshape({batch, 1, query.size(1)}), memory, scorer, normalizer, pass);
    return {context.reshape({batch, context.size(2)}), weights.reshape({batch, weights.size(2)})};
  }
  if (query.rank() != 3) fail("attend: the query is {}, wants (B, T, Q) or (B, Q)", query.shape().text());
  memory.check("attend", query.size(0));
  const Tensor weights = normalizer(scorer(query, memory), memory.mask, pass);
  return {matmul(weights, memory.values), weights};
}

}  // namespace heed::inline HEED_PRECISION
