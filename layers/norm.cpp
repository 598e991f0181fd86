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

LayerNorm::LayerNorm(int64_t size, real eps)
    : weight(ones("LayerNorm", size)), bias(constant_init({size}, 0)), eps(eps) {}

Tensor LayerNorm::operator()(const Tensor& x) const { return layer_norm(x, weight, bias, eps); }

void LayerNorm::visit(const Visitor& visitor) const {
  visitor("weight", weight);
  visitor("bias", bias);
}

RMSNorm::RMSNorm(int64_t size, real eps) : weight(ones("RMSNorm", size)), eps(eps) {}

Tensor RMSNorm::operator()(const Tensor& x) const { return rms_norm(x, weight, eps); }

}  // namespace heed::inline HEED_PRECISION
