#include <algorithm>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

// A recurrent network over a whole sequence, as one op. Step t of row b, for the state s = h, or h | c:
//   gi = x_gates_t,   gh = W_hh h_{t-1} + b_hh,   s_t = cell(gi, gh, s_{t-1})
// Through time nothing is left but the product with W_hh and the gates. The backward walks the steps the
// other way, keeps the gate gradients of all of them, and multiplies once at the end:
//   dW_hh += sum_t dgh_t^T h_{t-1},   db_hh += sum_t dgh_t
// The product with the input came before, gi = W_ih x + b_ih by `linear`, and so its gradients come after:
// dgi is added to that of x_gates, of which linear's backward makes dW_ih, db_ih and dx. How a cell's gates
// give dgi and dgh stands line by line in kernels/recurrent.hpp.

namespace heed::inline HEED_PRECISION {

int64_t gates(Cell cell) { return cell == Cell::rnn ? 1 : cell == Cell::gru ? 3 : 4; }
int64_t state_parts(Cell cell) { return cell == Cell::lstm ? 2 : 1; }

namespace {

struct Recurrence {
  Cell cell;
  int64_t batch, time, hidden;
  int64_t gate_width, state_width;  // G H and P H
  int64_t saved_width;              // reals that a step keeps of a row for the backward
  bool backward;
  PoolVector<int32_t> lengths;  // empty: every row is `time` long

  [[nodiscard]] bool past_end(int64_t b, int64_t t) const {
    return !lengths.empty() && t >= lengths[static_cast<size_t>(b)];
  }
  // The time step that is computed i-th.
  [[nodiscard]] int64_t step(int64_t i) const { return backward ? time - 1 - i : i; }
  [[nodiscard]] int64_t row(int64_t b, int64_t t) const { return b * time + t; }

  template <class F>
  void for_batch(F f) const {
    parallel_for(batch, grain(2.0 * static_cast<double>(gate_width)), [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) f(b);
    });
  }
};

// The states before the i-th computed step: a (batch, state_width) matrix whose rows are `stride` apart.
struct Previous {
  const real* data;
  int64_t stride;

  Previous(const Recurrence& r, const real* initial, const real* states, int64_t i)
      : data(i == 0 ? initial : states + r.step(i - 1) * r.state_width),
        stride(i == 0 ? r.state_width : r.time * r.state_width) {}
  const real* operator[](int64_t b) const { return data + b * stride; }
};

// gi and gh: the input's and the state's share of the gates; writes the next state and what backward needs.
void step_forward(const Recurrence& r, const real* gi, const real* gh, const real* state, real* next,
                  real* saved) {
  const int64_t n = r.hidden;
  switch (r.cell) {
    case Cell::rnn:  // h' = tanh(gi + gh)
      simd().add(gi, gh, next, n);
      simd().tanh(next, next, n);
      break;
    case Cell::gru:  // saved: r | z | c | gh_n
      simd().gru(gi, gh, state, next, saved, n);
      break;
    case Cell::lstm:
      simd().lstm(gi, gh, state + n, next, next + n, saved, n);
      break;
  }
}

// d: the gradient of the next state, of which the part of the previous state's gradient remains that does not
// flow through W_hh. dgi: added to or, where not `add`, assigned; dgh: assigned.
void step_backward(const Recurrence& r, const real* saved, const real* state, const real* next, bool add,
                   real* dgi, real* dgh, real* d) {
  const int64_t n = r.hidden;
  switch (r.cell) {
    case Cell::rnn:  // h' = tanh(gi + gh)  =>  dgi = dgh = (1 - h'^2) d
      std::fill_n(dgh, n, real(0));
      simd().tanh_backward(next, d, dgh, n);
      add ? simd().add(dgi, dgh, dgi, n) : simd().scale(1, dgh, dgi, n);
      std::fill_n(d, n, real(0));
      break;
    case Cell::gru:
      simd().gru_backward(saved, state, add, dgi, dgh, d, n);
      break;
    case Cell::lstm:
      simd().lstm_backward(saved, state + n, add, dgi, dgh, d, d + n, n);
      break;
  }
}

Recurrence plan(Cell cell, const Tensor& x_gates, const Tensor& state, const Tensor& weight_hh,
                const Tensor& bias_hh, const Sequence& sequence) {
  check_defined("recurrent", x_gates, state, weight_hh);
  if (weight_hh.rank() != 2 || weight_hh.size(0) != gates(cell) * weight_hh.size(1)) {
    fail("recurrent: weight_hh {}: ({} H, H) was expected", weight_hh.shape().text(), gates(cell));
  }
  const int64_t hidden = weight_hh.size(1);
  const int64_t gate_width = gates(cell) * hidden;
  const int64_t state_width = state_parts(cell) * hidden;
  if (x_gates.rank() != 3 || x_gates.size(2) != gate_width) {
    fail("recurrent: x_gates {}: (B, T, {}) was expected", x_gates.shape().text(), gate_width);
  }
  if (state.shape() != Shape{x_gates.size(0), state_width}) {
    fail("recurrent: state {}: ({}, {}) was expected", state.shape().text(), x_gates.size(0), state_width);
  }
  if (bias_hh.defined() && bias_hh.shape() != Shape{gate_width}) {
    fail("recurrent: bias_hh {}: ({}) was expected", bias_hh.shape().text(), gate_width);
  }
  if (!sequence.lengths.empty() && static_cast<int64_t>(sequence.lengths.size()) != x_gates.size(0)) {
    fail("recurrent: {} lengths for a batch of {}", sequence.lengths.size(), x_gates.size(0));
  }
  for (const int32_t length : sequence.lengths) {
    if (length < 0 || length > x_gates.size(1)) {
      fail("recurrent: length {} is outside [0, {}]", length, x_gates.size(1));
    }
  }
  const int64_t saved[] = {0, 4 * hidden, 5 * hidden};
  return {cell,
          x_gates.size(0),
          x_gates.size(1),
          hidden,
          gate_width,
          state_width,
          saved[static_cast<int>(cell)],
          sequence.backward,
          {sequence.lengths.begin(), sequence.lengths.end()}};
}

void run_forward(const Recurrence& r, const real* x_gates, const real* initial, const real* weight,
                 const real* bias, real* states, real* saved) {
  Buffer scratch(r.batch * r.gate_width);
  real* gh = scratch.mutable_data();
  for (int64_t i = 0; i < r.time; ++i) {
    const int64_t t = r.step(i);
    const Previous previous(r, initial, states, i);
    simd().gemm(false, true, r.batch, r.gate_width, r.hidden, 1, previous.data, previous.stride, weight,
                r.hidden, false, gh, r.gate_width);
    if (bias != nullptr) simd().add_to_rows(gh, bias, gh, r.batch, r.gate_width);
    r.for_batch([&](int64_t b) {
      const int64_t row = r.row(b, t);
      real* next = states + row * r.state_width;
      if (r.past_end(b, t)) {
        std::copy_n(previous[b], r.state_width, next);
      } else {
        step_forward(r, x_gates + row * r.gate_width, gh + b * r.gate_width, previous[b], next,
                     saved + row * r.saved_width);
      }
    });
  }
}

struct StepsBack {
  const real *initial, *states, *saved, *weight;
  const real* dstates;      // the gradient of the op's output
  real* dgh;                // (B, T, G H): of every step
  real* dstate;             // (B, P H): of the state, while it is carried back through time
  real* unwanted;           // (B, G H): takes dx_gates' place where nobody wants it
  Gradients::Sum dx_gates;  // asked for last: see Gradients::Sum
};

void run_backward(const Recurrence& r, const StepsBack& p) {
  const bool add = p.dx_gates && !p.dx_gates.fresh;
  for (int64_t i = r.time - 1; i >= 0; --i) {
    const int64_t t = r.step(i);
    const Previous previous(r, p.initial, p.states, i);
    r.for_batch([&](int64_t b) {
      const int64_t row = r.row(b, t);
      const int64_t width = r.state_width;
      real* d = p.dstate + b * width;
      simd().axpy(1, p.dstates + row * width, d, width);
      real* dgi = p.dx_gates ? p.dx_gates.data + row * r.gate_width : p.unwanted + b * r.gate_width;
      real* dgh = p.dgh + row * r.gate_width;
      if (r.past_end(b, t)) {  // s_t = s_{t-1}: the gradient passes as it is
        std::fill_n(dgh, r.gate_width, real(0));
        if (!add) std::fill_n(dgi, r.gate_width, real(0));
      } else {
        step_backward(r, p.saved + row * r.saved_width, previous[b], p.states + row * width, add, dgi, dgh,
                      d);
      }
    });
    // gh = W h  =>  dh += dgh W
    simd().gemm(false, false, r.batch, r.hidden, r.gate_width, 1, p.dgh + t * r.gate_width,
                r.time * r.gate_width, p.weight, r.hidden, true, p.dstate, r.state_width);
  }
}

// h_{t-1} of every step, below each other as (B T, H)
Buffer previous_hidden(const Recurrence& r, const real* initial, const real* states) {
  Buffer buffer(r.batch * r.time * r.hidden);
  real* to = buffer.mutable_data();
  for (int64_t i = 0; i < r.time; ++i) {
    const Previous previous(r, initial, states, i);
    for (int64_t b = 0; b < r.batch; ++b) {
      std::copy_n(previous[b], r.hidden, to + r.row(b, r.step(i)) * r.hidden);
    }
  }
  return buffer;
}

}  // namespace

Tensor recurrent(Cell cell, const Tensor& x_gates, const Tensor& state, const Tensor& weight_hh,
                 const Tensor& bias_hh, const Sequence& sequence) {
  Recurrence r = plan(cell, x_gates, state, weight_hh, bias_hh, sequence);
  Tensor states = Tensor::empty({r.batch, r.time, r.state_width});
  Buffer saved(r.batch * r.time * r.saved_width);
  run_forward(r, x_gates.data(), state.data(), weight_hh.data(), bias_hh.defined() ? bias_hh.data() : nullptr,
              states.mutable_data(), saved.mutable_data());
  return record(
      "recurrent", states, {&x_gates, &state, &weight_hh, &bias_hh},
      [r = std::move(r), initial = Saved(state), weight = Saved(weight_hh), states = Saved(states),
       saved = Saved(saved)](Gradients& g) {
        Buffer all_dgh(r.batch * r.time * r.gate_width);
        Buffer dstate = Buffer::zeros(r.batch * r.state_width);
        real* dgh = all_dgh.mutable_data();
        Buffer unwanted(g.wants(0) ? 0 : r.batch * r.gate_width);
        const StepsBack steps{
            initial, states, saved, weight, g.output(), dgh, dstate.mutable_data(), unwanted.mutable_data(),
            g.sum(0)};
        run_backward(r, steps);
        if (real* ds = g.input(1)) simd().axpy(1, dstate.data(), ds, dstate.size());
        if (real* dw = g.input(2)) {
          const Buffer copies = r.time == 1 ? Buffer() : previous_hidden(r, initial, states);
          const real* h = copies ? copies.data() : initial.data();
          simd().gemm(true, false, r.gate_width, r.hidden, r.batch * r.time, 1, dgh, r.gate_width, h,
                      copies ? r.hidden : r.state_width, true, dw, r.hidden);
        }
        if (real* db = g.input(3)) simd().sum_rows(dgh, db, r.batch * r.time, r.gate_width);
      });
}

}  // namespace heed::inline HEED_PRECISION
