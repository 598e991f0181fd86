#pragma once

#include "autograd/kernels/adamw.hpp"
#include "autograd/kernels/additive.hpp"
#include "autograd/kernels/attention.hpp"
#include "autograd/kernels/dropout.hpp"
#include "autograd/kernels/gemm.hpp"
#include "autograd/kernels/maps.hpp"
#include "autograd/kernels/norms.hpp"
#include "autograd/kernels/peak.hpp"
#include "autograd/kernels/recurrent.hpp"
#include "autograd/kernels/reductions.hpp"
#include "autograd/kernels/softmax.hpp"
#include "autograd/kernels/tables.hpp"

namespace heed::kernels {

// The table of one architecture: every template above, instantiated for registers B.
template <class B>
consteval Table<Value<B>> fill(const char* arch) noexcept {
  return {
      .arch = arch,
      .exp = exp<B>,
      .log = log<B>,
      .tanh = tanh<B>,
      .sigmoid = sigmoid<B>,
      .erf = erf<B>,
      .relu = relu<B>,
      .gelu = gelu<B>,
      .silu = silu<B>,
      .softplus = softplus<B>,
      .tanh_backward = tanh_backward<B>,
      .sigmoid_backward = sigmoid_backward<B>,
      .relu_backward = relu_backward<B>,
      .gelu_backward = gelu_backward<B>,
      .silu_backward = silu_backward<B>,
      .softplus_backward = softplus_backward<B>,
      .add = add<B>,
      .sub = sub<B>,
      .mul = mul<B>,
      .div = div<B>,
      .scale = scale<B>,
      .axpy = axpy<B>,
      .mul_add = mul_add<B>,
      .dropout = dropout<B>,
      .dropout_backward = dropout_backward<B>,
      .sum = sum<B>,
      .dot = dot<B>,
      .max = max<B>,
      .sum_squares = sum_squares<B>,
      .add_to_rows = add_to_rows<B>,
      .sum_rows = sum_rows<B>,
      .softmax = softmax<B>,
      .softmax_backward = softmax_backward<B>,
      .log_softmax = log_softmax<B>,
      .log_softmax_backward = log_softmax_backward<B>,
      .cross_entropy = cross_entropy<B>,
      .cross_entropy_backward = cross_entropy_backward<B>,
      .layer_norm = layer_norm<B>,
      .layer_norm_backward = layer_norm_backward<B>,
      .rms_norm = rms_norm<B>,
      .rms_norm_backward = rms_norm_backward<B>,
      .gru = gru<B>,
      .gru_backward = gru_backward<B>,
      .lstm = lstm<B>,
      .lstm_backward = lstm_backward<B>,
      .additive = additive<B>,
      .additive_backward = additive_backward<B>,
      .attention = attention<B>,
      .attention_backward = attention_backward<B>,
      .transpose = transpose_matrix<B>,
      .gemm = gemm<B>,
      .adamw = adamw<B>,
      .multiply_adds = multiply_adds<B>,
  };
}

}  // namespace heed::kernels
