#include "layers/hard.hpp"

#include <cmath>
#include <limits>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

constexpr real infinity = std::numeric_limits<real>::infinity();

// 1 where x is not 0 (as NaN is not), else 0.
Ids not_zero(const Tensor& x) {
  Ids found(x.shape());
  for (int64_t i = 0; i < x.size(); ++i) found.values()[static_cast<size_t>(i)] = x.data()[i] != 0 ? 1 : 0;
  return found;
}

Tensor full_like(const Tensor& x, real value) { return Tensor::full(x.shape(), value); }

}  // namespace

Ids most_probable(const Tensor& probabilities) {
  Ids slots = argmax(probabilities);
  const int64_t n = probabilities.size(-1);
  for (int64_t row = 0; row < slots.size(); ++row) {
    const real* p = probabilities.data() + row * n;
    for (int64_t s = 0; s < n; ++s) {
      if (std::isnan(p[s])) fail("most_probable: NaN at slot {} of row {}", s, row);
    }
    if (p[slots[row]] == 0) slots.values()[static_cast<size_t>(row)] = -1;
  }
  return slots;
}

Tensor log_probability(const Attended& seen) {
  const Tensor chosen = seen.weights.detach();
  const Tensor nothing = shift(neg(sum(chosen, -1)), 1);  // 1 where nothing was chosen: log 1 = 0
  return log(sum(chosen * seen.probabilities, -1) + nothing);
}

Tensor entropy(const Tensor& probabilities) {
  const Tensor safe = where(not_zero(probabilities), probabilities, full_like(probabilities, 1));
  return neg(sum(probabilities * log(safe), -1));  // p = 0: 0 log 1, and d/dp = log 1 = 0
}

Tensor ReinforceLoss::operator()(const Tensor& log_probability, const Tensor& entropy, const Tensor& reward) {
  const Tensor advantage = scale(shift(reward.detach(), -baseline), reward_weight);
  const Tensor gain = advantage * log_probability + scale(entropy, entropy_weight);
  if (gain.shape() != log_probability.shape()) {
    fail("ReinforceLoss: reward {} does not fit log-probabilities {}", reward.shape().text(),
         log_probability.shape().text());
  }
  baseline = decay * baseline + (1 - decay) * mean(reward).item();
  return scale(sum(gain), -1 / static_cast<real>(gain.size(0)));
}

// With m the largest log_p of a slot with weight, log sum_s w_s e^log_p_s = m + log sum_s w_s e^(log_p_s -
// m).
Tensor log_marginal(const Tensor& weights, const Tensor& log_p) {
  if (weights.shape() != log_p.shape() || weights.rank() == 0) {
    fail("log_marginal: weights {} and log_p {} differ in shape", weights.shape().text(),
         log_p.shape().text());
  }
  const Tensor counted = where(not_zero(weights), log_p, full_like(log_p, -infinity));
  Tensor top = max(counted.detach(), -1, true);
  for (real *m = top.mutable_data(), *end = m + top.size(); m != end; ++m) {
    if (*m == -infinity) *m = 0;
  }
  const Tensor total = sum(weights * exp(counted - top), -1);
  const Ids some = not_zero(total);
  const Tensor log_total = log(where(some, total, full_like(total, 1))) + top.reshape(total.shape());
  return where(some, log_total, full_like(total, -infinity));
}

}  // namespace heed::inline HEED_PRECISION
