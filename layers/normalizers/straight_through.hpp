#pragma once

#include "autograd/ops.hpp"
#include "layers/hard.hpp"
#include "layers/normalizers.hpp"

namespace heed::inline HEED_PRECISION {

// All weight on the most probable slot; backward as if the weights were the probabilities softmax(scores /
// temperature): the straight-through estimator (Bengio et al. 2013; of a unit that is drawn, here it is
// decided). Its gradient is wrong and useful. No parameters. Throws unless the temperature is above 0.
struct StraightThrough : Normalizer {
  static constexpr const char* name = "straight_through";
  static constexpr const char* formula = "one-hot, the largest score; backward as softmax(score)";
  static constexpr Laws laws{.equal_share = false, .doubling = false, .positive = false};

  StraightThrough(const NormalizerSizes& sizes, Rng& /*rng*/) : sharpness(inverse_temperature(name, sizes)) {}

  Weights operator()(const Tensor& scores, const Mask& mask, const Moment& /*moment*/) const override {
    const Tensor probabilities = softmax(sharpened(scores, sharpness), mask);
    const Tensor hard = one_hot(most_probable(probabilities), scores.size(-1));
    return {hard + (probabilities - probabilities.detach()), probabilities};  // the bracket is exactly 0
  }
  [[nodiscard]] Inside inside(const Tensor& scores, const Moment& /*moment*/) const override {
    return softmax_steps(sharpened(scores, sharpness));
  }

  real sharpness;  // 1 / temperature
};

}  // namespace heed::inline HEED_PRECISION
