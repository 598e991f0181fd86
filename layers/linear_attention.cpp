#include "layers/linear_attention.hpp"

#include <limits>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

void check_inputs(const Tensor& q, const Tensor& k, const Tensor& v, int rank, const char* wanted) {
  check_defined("linear_attention", q, k, v);
  if (q.rank() == rank && q.shape() == k.shape() && v.rank() == rank &&
      v.shape().with(-1, 0) == k.shape().with(-1, 0)) {
    return;
  }
  fail("linear_attention: q {}, k {}, v {}: wants {}", q.shape().text(), k.shape().text(), v.shape().text(),
       wanted);
}

// 1 where s <= t: (T, T).
Tensor lower_triangle(int64_t steps) {
  Tensor ones = Tensor::zeros({steps, steps});
  for (int64_t t = 0; t < steps; ++t) {
    for (int64_t s = 0; s <= t; ++s) ones.mutable_data()[t * steps + s] = 1;
  }
  return ones;
}

}  // namespace

// e^0 + x above 0, e^x + 0 below: neither side overflows for the other. At 0 it is clamp that has the slope.
Tensor elu_features(const Tensor& x) {
  return exp(clamp(x, std::numeric_limits<real>::lowest(), 0)) + relu(x);
}

Tensor linear_attention(const Tensor& q, const Tensor& k, const Tensor& v, Tensor* weights) {
  check_inputs(q, k, v, 3, "(B, T, K), (B, T, K), (B, T, D)");
  const Tensor similar = matmul(elu_features(q), elu_features(k), {.b = true}) * lower_triangle(q.size(1));
  const Tensor a = similar / sum(similar, -1, true);  // (B, T, T)
  if (weights != nullptr) *weights = a.detach();
  return matmul(a, v);
}

LinearAttentionState start_linear_attention(int64_t batch, int64_t keys, int64_t values) {
  return {Tensor::zeros({batch, keys, values}), Tensor::zeros({batch, keys})};
}

Tensor linear_attention_step(LinearAttentionState& state, const Tensor& q, const Tensor& k, const Tensor& v) {
  check_inputs(q, k, v, 2, "(B, K), (B, K), (B, D)");
  const int64_t batch = q.size(0), keys = q.size(1), values = v.size(1);
  const Tensor asked = elu_features(q), key = elu_features(k);
  state.s = state.s + key.reshape({batch, keys, 1}) * v.reshape({batch, 1, values});
  state.z = state.z + key;
  const Tensor total = matmul(asked.reshape({batch, 1, keys}), state.s).reshape({batch, values});
  return total / sum(asked * state.z, -1, true);
}

}  // namespace heed::inline HEED_PRECISION
