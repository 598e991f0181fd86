#pragma once

#include "autograd/ops.hpp"
#include "layers/init.hpp"
#include "layers/normalizers.hpp"

namespace heed::inline HEED_PRECISION {

// Between softmax and sparsemax: weights_s = [z_s / 2 - tau]_+^2, z = scores / temperature (Peters et al.
// 2019, alpha = 1.5). Smooth, and low scores get exactly 0. No parameters. Throws unless the temperature is
// above 0.
struct Entmax15 : Normalizer {
  static constexpr const char* name = "entmax15";
  static constexpr const char* formula = "max(score / 2 - tau, 0)^2";
  static constexpr Laws laws{.doubling = false, .positive = false};

  Entmax15(const NormalizerSizes& sizes, Rng& /*rng*/) : sharpness(inverse_temperature(name, sizes)) {}

  Weights operator()(const Tensor& scores, const Mask& mask, const Moment& /*moment*/) const override {
    return entmax15(sharpened(scores, sharpness), mask);
  }
  [[nodiscard]] Inside inside(const Tensor& scores, const Moment& /*moment*/) const override {
    return entmax_steps(sharpened(scores, sharpness), Tensor::full({1}, real(1.5)));
  }

  real sharpness;  // 1 / temperature
};

// weights_s = [(alpha - 1) z_s - tau]_+ ^ (1 / (alpha - 1)) with alpha learned: how sparse attention is, is
// left to the data (Correia et al. 2019). alpha = 1 + sigmoid(shape) stays between softmax (1) and sparsemax
// (2); the parameter is `shape` (1). Init: 0, so alpha = 1.5. Throws unless the temperature is above 0.
struct Entmax : Normalizer {
  static constexpr const char* name = "entmax";
  static constexpr const char* formula = "max((a - 1) score - tau, 0)^(1 / (a - 1)), a learned";
  static constexpr Laws laws{.doubling = false, .positive = false};

  Entmax(const NormalizerSizes& sizes, Rng& /*rng*/)
      : sharpness(inverse_temperature(name, sizes)), shape(constant_init({1}, 0)) {}

  Weights operator()(const Tensor& scores, const Mask& mask, const Moment& /*moment*/) const override {
    return entmax(sharpened(scores, sharpness), alpha(), mask);
  }
  [[nodiscard]] Inside inside(const Tensor& scores, const Moment& /*moment*/) const override {
    return entmax_steps(sharpened(scores, sharpness), alpha());
  }
  [[nodiscard]] Tensor alpha() const { return shift(sigmoid(shape), 1); }
  void visit(const Visitor& visitor) const override { visitor("shape", shape); }

  real sharpness;  // 1 / temperature
  Tensor shape;
};

}  // namespace heed::inline HEED_PRECISION
