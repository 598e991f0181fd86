#pragma once

#include <variant>

#include "layers/module.hpp"

namespace heed::inline HEED_PRECISION {

// y = (x - mean) / sqrt(variance + eps) weight + bias, over the last axis (..., D) (Ba et al. 2016, eq. 4);
// torch.nn.LayerNorm. Init: weight (D) ones, bias (D), if there is one, zeros.
struct LayerNorm : Module {
  explicit LayerNorm(int64_t size, real eps = real(1e-5), bool with_bias = true);

  Tensor operator()(const Tensor& x) const;
  void visit(const Visitor& visitor) const override;

  Tensor weight, bias;
  real eps;
};

// y = x / sqrt(mean(x^2) + eps) weight, over the last axis (..., D) (Zhang & Sennrich 2019, eq. 4). Init:
// weight (D) ones.
struct RMSNorm : Module {
  explicit RMSNorm(int64_t size, real eps = real(1e-5));

  Tensor operator()(const Tensor& x) const;
  void visit(const Visitor& visitor) const override { visitor("weight", weight); }

  Tensor weight;
  real eps;
};

// Either of the two, where a model leaves the choice.
enum class NormKind { layer, rms };
struct Norm : Module {
  Norm(NormKind kind, int64_t size, bool bias = true);  // bias: of LayerNorm

  Tensor operator()(const Tensor& x) const;
  void visit(const Visitor& visitor) const override;

  std::variant<LayerNorm, RMSNorm> norm;
};

}  // namespace heed::inline HEED_PRECISION
