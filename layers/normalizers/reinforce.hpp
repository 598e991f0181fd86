#pragma once

#include "autograd/ops.hpp"
#include "layers/hard.hpp"
#include "layers/normalizers.hpp"

namespace heed::inline HEED_PRECISION {

// One slot per query: in training drawn by the probabilities softmax(scores / temperature), in evaluation the
// most probable (Xu et al. 2015, section 4.1). The weights are one-hot and have no gradient; the
// probabilities have: `ReinforceLoss` (hard.hpp) teaches by them. No parameters. Throws unless the
// temperature is above 0.
struct Reinforce : Normalizer {
  static constexpr const char* name = "reinforce";
  static constexpr const char* formula = "one-hot: in training drawn by softmax(score), else its largest";
  static constexpr Laws laws{.equal_share = false, .doubling = false, .positive = false};
  static constexpr bool wants_reward = true;

  Reinforce(const NormalizerSizes& sizes, Rng& /*rng*/) : sharpness(inverse_temperature(name, sizes)) {}

  Weights operator()(const Tensor& scores, const Mask& mask, const Moment& moment) const override {
    const Tensor probabilities = softmax(sharpened(scores, sharpness), mask);
    const Ids slots =
        moment.pass.train ? sample(probabilities, moment.pass.generator(name)) : most_probable(probabilities);
    return {one_hot(slots, scores.size(-1)), probabilities};
  }
  [[nodiscard]] Inside inside(const Tensor& scores, const Moment& /*moment*/) const override {
    return softmax_steps(sharpened(scores, sharpness));
  }

  real sharpness;  // 1 / temperature
};

}  // namespace heed::inline HEED_PRECISION
