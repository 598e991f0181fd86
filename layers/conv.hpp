#pragma once

#include "autograd/ids.hpp"
#include "layers/module.hpp"

namespace heed::inline HEED_PRECISION {

// Where the zeros go that keep a convolution's output as long as its input.
enum class Padding {
  causal,  // all before the first step: step t sees t - (K - 1) dilation .. t, nothing of the future
  same,    // half before, half after (of an odd number the larger half): as torch's padding="same"
};

// A convolution over time, y = linear(windows(x)): x (B, T, I) -> (B, T, O),
//   y[b, t, o] = bias_o + sum_k,i weight[o, i, k] x[b, t - before + k dilation, i],   x = 0 outside [0, T)
// with before = (K - 1) dilation when causal and (K - 1) dilation / 2, rounded down, when same. The layout of
// torch.nn.Conv1d, weight (O, I, K) and bias (O), but for time, which here stands before the features. Init:
// both U(-1/sqrt(I K), 1/sqrt(I K)), torch's. Throws on a size below 1.
//
// It knows of no lengths: what lies beyond a row's end is seen by the last steps before it. Whoever has rows
// of several lengths puts zeros there, by hide_slots, before every convolution: the one before has put its
// bias there.
struct Conv1d : Module {
  struct Options {
    int64_t width = 3;  // K
    Padding padding = Padding::same;
    int64_t dilation = 1;
    bool bias = true;
  };
  Conv1d(int64_t in, int64_t out, const Options& options, Rng& rng);

  Tensor operator()(const Tensor& x) const;
  // A causal one piece by piece: x (B, T, I) follows `past` (B, (K - 1) dilation, I), which becomes the past
  // of what comes next. Piece by piece it gives what all gives at once.
  Tensor extend(const Tensor& x, Tensor& past) const;
  // The past before the first step: zeros.
  [[nodiscard]] Tensor start(int64_t batch) const;
  // How many steps one output sees, gaps included: 1 + (K - 1) dilation.
  [[nodiscard]] int64_t reach() const { return 1 + (options.width - 1) * options.dilation; }
  void visit(const Visitor& visitor) const override;

  Options options;
  Tensor weight, bias;

 private:
  [[nodiscard]] Tensor apply(const Tensor& windows) const;  // (B, T, K I) -> (B, T, O)
};

// x (B, T, D) with zeros in the slots that the mask hides; x itself where it hides none. What stood there has
// to be finite. Throws on a causal mask, which hides other slots from every query.
Tensor hide_slots(const Tensor& x, const Mask& mask);

}  // namespace heed::inline HEED_PRECISION
