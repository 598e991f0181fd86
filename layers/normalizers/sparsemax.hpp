#pragma once

#include "autograd/ops.hpp"
#include "layers/normalizers.hpp"

namespace heed::inline HEED_PRECISION {

// The point of the simplex nearest to z = scores / temperature: weights_s = [z_s - tau]_+, tau such that they
// sum to 1 (Martins & Astudillo 2016, eq. 2 and proposition 1). Low scores get exactly 0, and all
// weight is on one slot at temperatures below the difference of the two largest. No parameters. Throws unless
// the temperature is above 0.
struct Sparsemax : Normalizer {
  static constexpr const char* name = "sparsemax";
  static constexpr const char* formula = "max(score - tau, 0)";
  static constexpr Laws laws{.doubling = false, .positive = false};

  Sparsemax(const NormalizerSizes& sizes, Rng& /*rng*/) : sharpness(inverse_temperature(name, sizes)) {}

  Weights operator()(const Tensor& scores, const Mask& mask, const Moment& /*moment*/) const override {
    return sparsemax(sharpened(scores, sharpness), mask);
  }
  [[nodiscard]] Inside inside(const Tensor& scores, const Moment& /*moment*/) const override {
    return entmax_steps(sharpened(scores, sharpness), Tensor::full({1}, 2));
  }

  real sharpness;  // 1 / temperature
};

}  // namespace heed::inline HEED_PRECISION
