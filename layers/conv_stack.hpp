#pragma once

#include <vector>

#include "layers/conv.hpp"
#include "layers/dropout.hpp"
#include "layers/stack.hpp"

namespace heed::inline HEED_PRECISION {

// glu(conv(dropout(x))), D features to 2 D to D: what a convolutional net repeats (Gehring et al. 2017,
// section 3.2). Parameters: `conv.weight`, `conv.bias`. Init: weight N(0, 4 p / (K D)), p = 1 - dropout the
// share that is kept, bias 0 (section 3.6): the variance that the gates take is put in first.
struct GatedConv : Module {
  GatedConv(int64_t size, const Conv1d::Options& options, real dropout, Rng& rng);

  Tensor operator()(const Tensor& x, const Pass& pass) const;
  Tensor extend(const Tensor& x, Tensor& past, const Pass& pass) const;  // as Conv1d
  void visit(const Visitor& visitor) const override { visitor("conv", conv); }

  Conv1d conv;
  Dropout dropout;
};

// a + b, scaled back to the variance of one of two that do not correlate: sqrt(1/2) (a + b) (Gehring et al.
// 2017, section 3.5).
Tensor halved_sum(const Tensor& a, const Tensor& b);

// Layers x <- sqrt(1/2) (x + glu(conv(dropout(x)))), hidden slots zeroed before each convolution: an encoder
// of Gehring et al. 2017 without its ends. Parameters: `layers.0.conv.weight`, ... Throws on sizes below 1.
struct ConvStack : Stack {
  struct Options {
    int64_t size = 64;  // D
    int64_t layers = 2;
    int64_t width = 3;  // K
    Padding padding = Padding::same;
    std::vector<int64_t> dilations = {1};  // of layer i: number i, counted round and round
    real dropout = 0;
  };
  ConvStack(const Options& options, Rng& rng);

  Tensor operator()(const Tensor& x, const Mask& mask, const Pass& pass) const override;
  [[nodiscard]] int64_t size() const override { return size_; }
  // The receptive field: how many steps one output depends on, 1 + sum_layers (K - 1) dilation.
  [[nodiscard]] int64_t reach() const;
  void visit(const Visitor& visitor) const override;

  std::vector<GatedConv> layers;

 private:
  int64_t size_;
};

}  // namespace heed::inline HEED_PRECISION
