#include "layers/norm.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

Tensor ones(const char* layer, int64_t size) {
  if (size < 1) fail("{}: size {} must be at least 1", layer, size);
  return constant_init({size}, 1);
}

}  // namespace

LayerNorm::LayerNorm(int64_t size, real eps, bool with_bias) : weight(ones("LayerNorm", size)), eps(eps) {
  if (with_bias) bias = constant_init({size}, 0);
}

Tensor LayerNorm::operator()(const Tensor& x) const { return layer_norm(x, weight, bias, eps); }

void LayerNorm::visit(const Visitor& visitor) const {
  visitor("weight", weight);
  visitor("bias", bias);
}

RMSNorm::RMSNorm(int64_t size, real eps) : weight(ones("RMSNorm", size)), eps(eps) {}

Tensor RMSNorm::operator()(const Tensor& x) const { return rms_norm(x, weight, eps); }

Norm::Norm(NormKind kind, int64_t size, bool bias)
    : norm(kind == NormKind::layer ? std::variant<LayerNorm, RMSNorm>(LayerNorm(size, real(1e-5), bias))
                                   : std::variant<LayerNorm, RMSNorm>(RMSNorm(size))) {}

Tensor Norm::operator()(const Tensor& x) const {
  return std::visit([&x](const auto& chosen) { return chosen(x); }, norm);
}

void Norm::visit(const Visitor& visitor) const {
  std::visit([&visitor](const auto& chosen) { chosen.visit(visitor); }, norm);
}

}  // namespace heed::inline HEED_PRECISION
