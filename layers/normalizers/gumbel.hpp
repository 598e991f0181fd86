#pragma once

#include <algorithm>
#include <cmath>

#include "autograd/ops.hpp"
#include "layers/hard.hpp"
#include "layers/normalizers.hpp"

namespace heed::inline HEED_PRECISION {

// Gumbel-softmax (Jang et al. 2017, eq. 2; Maddison et al. 2017): the largest of scores_s + g_s, g_s =
// -log(-log u_s), u_s uniform, is slot s with probability softmax(scores)_s; in training the weights are
// softmax((scores + g) / temperature), which goes to that choice as the temperature goes to 0, and has a
// gradient. In evaluation all weight is on the most probable slot, without gradient. No parameters. Throws
// unless the temperature is above 0.
struct Gumbel : Normalizer {
  static constexpr const char* name = "gumbel";
  static constexpr const char* formula =
      "softmax((score + Gumbel noise) / temperature) in training, else one-hot";
  static constexpr Laws laws{.equal_share = false, .doubling = false, .positive = false};

  Gumbel(const NormalizerSizes& sizes, Rng& /*rng*/) : sharpness(inverse_temperature(name, sizes)) {}

  Weights operator()(const Tensor& scores, const Mask& mask, const Moment& moment) const override {
    const Tensor probabilities = softmax(scores, mask);
    if (!moment.pass.train) return {one_hot(most_probable(probabilities), scores.size(-1)), probabilities};
    Rng& rng = moment.pass.generator(name);
    Tensor noise = empty_like(scores);
    for (real *g = noise.mutable_data(), *end = g + noise.size(); g != end; ++g) {
      *g = static_cast<real>(-std::log(-std::log(std::max(rng.uniform(), 0x1p-54))));  // never 0 or 1
    }
    return {softmax(sharpened(scores + noise, sharpness), mask), probabilities};
  }
  [[nodiscard]] Inside inside(const Tensor& scores, const Moment& /*moment*/) const override {
    return softmax_steps(scores);
  }

  real sharpness;  // 1 / temperature
};

}  // namespace heed::inline HEED_PRECISION
