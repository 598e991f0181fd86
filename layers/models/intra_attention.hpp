#pragma once

#include <memory>
#include <string>

#include "layers/normalizers.hpp"
#include "layers/recurrent.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {

// LSTMN: an LSTM that attends to its own past instead of carrying one state along (Cheng et al. 2016, section
// 3, "Long Short-Term Memory-Network"):
//   a_i = v . tanh(W_h h_i + W_x x_t + W_h~ h~_(t-1)), i < t,   s = softmax(a)
//   [h~_t; c~_t] = sum_i s_i [h_i; c_i],   h_t, c_t = LSTM(x_t, [h~_t; c~_t])
// Memory: its own past, growing by a slot a step; keys h_i, values h_i | c_i, query x_t | h~_(t-1). The first
// step sees no slot, and context and h~_0 are 0. By default the scorer is Additive with W = [W_x W_h~] and U
// = W_h; one of queries as large as keys does not fit. The gates are RecurrentCell's, which has biases that
// the paper does not show. Init: as those two.
struct IntraAttention : Module {
  struct Options {
    int64_t input = 0;   // I
    int64_t hidden = 0;  // H, of the scorer's hidden layer too
    std::string scorer = "additive";
    std::string normalizer = "softmax";
    int64_t slots = 0;  // the most steps before the last, of a scorer with parameters per slot
  };
  // What a step needs of those before it; the batch is the first axis.
  struct State {
    Memory past;     // (B, t - 1, ...): h_i prepared, h_i | c_i
    Tensor context;  // (B, 2H): h~ | c~ of the step before
  };
  struct Result {
    Tensor output;   // (B, T, H): h_1 .. h_T
    Tensor weights;  // (B, T, T): row t looks at the steps before t
  };

  // Throws on sizes below 1, on what scorer and normalizer object to, and on a normalizer that does not go
  // with a memory that grows or wants a reward.
  IntraAttention(const Options& options, Rng& rng);

  // x (B, T, I), step by step from no past.
  Result operator()(const Tensor& x, const Pass& pass = {}) const;
  [[nodiscard]] State start(int64_t batch) const;
  // x (B, I), and what was before, which it replaces -> h (B, H). `weights`, if given, receives (B, t - 1),
  // undefined at the first step.
  Tensor step(const Tensor& x, State& state, Tensor* weights = nullptr, const Pass& pass = {}) const;
  void visit(const Visitor& visitor) const override;

  RecurrentCell cell;
  std::unique_ptr<Scorer> scorer;
  std::unique_ptr<Normalizer> normalizer;
};

}  // namespace heed::inline HEED_PRECISION
