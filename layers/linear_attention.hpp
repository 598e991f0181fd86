#pragma once

#include "autograd/tensor.hpp"

// Attention without softmax (Katharopoulos et al. 2020): the similarity of query and key is the product
// phi(q) . phi(k) of positive features, so that sums over the past can be carried along. One function of q,
// k, v in two forms: over all pairs, in T^2, and step by step as an RNN, in T. Letters: K features of queries
// and keys, D of values.

namespace heed::inline HEED_PRECISION {

// phi(x) = elu(x) + 1 (eq. 7): x + 1 where x > 0, else e^x. Any shape.
Tensor elu_features(const Tensor& x);

// y_t = sum_s<=t (phi(q_t) . phi(k_s)) v_s / sum_s<=t phi(q_t) . phi(k_s) (eq. 8):
// q, k (B, T, K), v (B, T, D) -> (B, T, D). `weights`, where given, receives (B, T, T) without a graph.
// Causal, so that padding at a row's end is not seen from before it. NaN where all similarities underflow.
Tensor linear_attention(const Tensor& q, const Tensor& k, const Tensor& v, Tensor* weights = nullptr);

// What the RNN carries: as much after a thousand steps as after one.
struct LinearAttentionState {
  Tensor s;  // (B, K, D): sum of phi(k) v^T
  Tensor z;  // (B, K): sum of phi(k)
};
// Before the first step: zeros (eq. 16 and 17).
LinearAttentionState start_linear_attention(int64_t batch, int64_t keys, int64_t values);
// s <- s + phi(k) v^T, z <- z + phi(k), y = phi(q)^T s / phi(q) . z (eq. 18 to 20, without what stands around
// it in a Transformer): q, k (B, K), v (B, D) -> y (B, D). Gives what linear_attention gives at once.
Tensor linear_attention_step(LinearAttentionState& state, const Tensor& q, const Tensor& k, const Tensor& v);

}  // namespace heed::inline HEED_PRECISION
