#pragma once

#include <span>
#include <vector>

#include "autograd/ops.hpp"
#include "layers/dropout.hpp"
#include "layers/module.hpp"

// Letters: B batch, T time, I input features, H hidden features, G gates(cell), P state_parts(cell). A state
// is ONE tensor (B, P H): h, or for the LSTM h | c.

namespace heed::inline HEED_PRECISION {

// The part h of a state: (..., P H) -> (..., H).
Tensor hidden_part(Cell cell, const Tensor& state);

// One recurrent layer in one direction, with torch.nn's formulas and gate order (s is the logistic function):
//   RNN   h' = tanh(W_ih x + b_ih + W_hh h + b_hh)                                        (Elman 1990)
//   GRU   r, z = s(...), n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h
//         (after Cho et al. 2014, section 2.3; models/gated.hpp has the papers' own, and how they differ)
//   LSTM  i, f, g, o = s, s, tanh, s(...), c' = f c + i g, h' = o tanh(c')
//         (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000)
// Parameters as torch.nn.GRUCell: weight_ih (G H, I), weight_hh (G H, H), bias_ih, bias_hh (G H), gates in
// the order r, z, n or i, f, g, o. Init: all U(-1/sqrt(H), 1/sqrt(H)), biases too, the forget gate's as any.
struct RecurrentCell : Module {
  RecurrentCell(Cell cell, int64_t input, int64_t hidden, Rng& rng);

  // One step: x (B, I), state (B, P H) -> the next state (B, P H).
  Tensor operator()(const Tensor& x, const Tensor& state) const;
  // All steps: x (B, T, I), the first state (B, P H) -> the states (B, T, P H). The products with x are one
  // GEMM over all time steps.
  Tensor run(const Tensor& x, const Tensor& state, const Sequence& sequence = {}) const;
  // The state before the first step: zeros.
  Tensor start(int64_t batch) const;
  void visit(const Visitor& visitor) const override;

  Cell cell;
  int64_t hidden;
  Tensor weight_ih, weight_hh, bias_ih, bias_hh;
};

// Layers of cells, each over the whole sequence, the next layer upon the outputs of the one below; in both
// directions if wanted (Schuster & Paliwal 1997). torch.nn.RNN, GRU, LSTM with batch_first=True and the same
// parameter names: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_ih_l0_reverse, ...
struct Recurrent : Module {
  struct Options {
    int64_t layers = 1;
    bool bidirectional = false;
    real dropout = 0;  // between layers (Zaremba et al. 2014)
  };
  // One state (B, P H) for each layer and direction: layer 0, layer 0 reverse, layer 1, ...
  using States = TensorList;
  struct Result {
    Tensor output;  // (B, T, H), bidirectional (B, T, 2H): forward | reverse; zero after a row's length
    States states;  // after each row's last step
  };

  Recurrent(Cell cell, int64_t input, int64_t hidden, Options options, Rng& rng);

  // x (B, T, I). `lengths` (B), each in [0, T], or none: all T; `states`: before the first step, none: zeros.
  Result operator()(const Tensor& x, std::span<const int32_t> lengths = {}, const States& states = {},
                    const Pass& pass = {}) const;
  // One step upwards through the layers, for decoders: x (B, I) and `states`, which it replaces, -> the top
  // layer's h (B, H). Throws if bidirectional.
  Tensor step(const Tensor& x, States& states, const Pass& pass = {}) const;
  States start(int64_t batch) const;
  void visit(const Visitor& visitor) const override;

  std::vector<RecurrentCell> cells;  // in the order of States
  Options options;
  Dropout dropout;

 private:
  [[nodiscard]] int64_t directions() const { return options.bidirectional ? 2 : 1; }
  void check(const States& states) const;
};

struct RNN : Recurrent {
  RNN(int64_t input, int64_t hidden, Options options, Rng& rng)
      : Recurrent(Cell::rnn, input, hidden, options, rng) {}
};
struct GRU : Recurrent {
  GRU(int64_t input, int64_t hidden, Options options, Rng& rng)
      : Recurrent(Cell::gru, input, hidden, options, rng) {}
};
struct LSTM : Recurrent {
  LSTM(int64_t input, int64_t hidden, Options options, Rng& rng)
      : Recurrent(Cell::lstm, input, hidden, options, rng) {}
};

}  // namespace heed::inline HEED_PRECISION
