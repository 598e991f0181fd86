#pragma once

#include "autograd/ops.hpp"
#include "layers/normalizers.hpp"

namespace heed::inline HEED_PRECISION {

// weights_s = e^(score_s / temperature) / sum_r e^(score_r / temperature) over the slots that the mask shows
// (Bahdanau et al. 2014, eq. 6, at temperature 1). No parameters. Throws unless the temperature is above 0.
struct Softmax : Normalizer {
  static constexpr const char* name = "softmax";
  static constexpr const char* formula = "e^score / sum e^score";

  Softmax() = default;
  Softmax(const NormalizerSizes& sizes, Rng& /*rng*/) : sharpness(inverse_temperature(name, sizes)) {}

  Weights operator()(const Tensor& scores, const Mask& mask, const Moment& /*moment*/) const override {
    return softmax(sharpened(scores, sharpness), mask);
  }
  [[nodiscard]] Inside inside(const Tensor& scores, const Moment& /*moment*/) const override {
    return softmax_steps(sharpened(scores, sharpness));
  }

  real sharpness = 1;  // 1 / temperature
};

}  // namespace heed::inline HEED_PRECISION
