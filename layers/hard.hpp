#pragma once

#include "autograd/ids.hpp"
#include "layers/attention.hpp"

// What teaches and measures attention that chooses one slot per query.

namespace heed::inline HEED_PRECISION {

// (..., S) -> (...): the first slot of the largest probability, -1 where all are 0. Throws on NaN.
Ids most_probable(const Tensor& probabilities);

// log p(choice): log sum_s weights_s probabilities_s, (B, T) or (B), of one-hot weights, which get no
// gradient. 0 where nothing was chosen.
Tensor log_probability(const Attended& seen);

// -sum_s p_s log p_s with 0 log 0 = 0, in nats: (..., S) -> (...). A slot of probability 0 gets gradient 0.
Tensor entropy(const Tensor& probabilities);

// The score function estimator with a running baseline (Xu et al. 2015, section 4.1; Williams 1992): its
// gradient is that of -(expected reward), estimated from one choice per query.
//   loss = -1/B sum_bt (reward_weight (reward - baseline) log_probability + entropy_weight entropy)
// and then baseline = decay baseline + (1 - decay) mean reward. Xu's reward is log p(y | choices).
struct ReinforceLoss {
  real reward_weight = 1;   // lambda_r
  real entropy_weight = 0;  // lambda_e
  real decay = real(0.9);
  real baseline = 0;  // b_k; of the rewards before

  // log_probability and entropy (B, T), reward a shape that broadcasts to them, (B, 1) for one per row; no
  // gradient goes to it. Queries that are padding: multiply their log-probability and entropy by 0.
  Tensor operator()(const Tensor& log_probability, const Tensor& entropy, const Tensor& reward);
};

// log sum_s weights_s p(y | s), the exact likelihood that hard attention samples from (Wu et al. 2018):
// weights (B, T, S), log_p (B, T, S) -> (B, T). Slots of weight 0 count as not there, whatever their log_p.
// -inf, with gradient 0, where no slot has both a weight and a likelihood.
Tensor log_marginal(const Tensor& weights, const Tensor& log_p);

}  // namespace heed::inline HEED_PRECISION
