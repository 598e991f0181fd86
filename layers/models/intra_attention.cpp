#include "layers/models/intra_attention.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {

IntraAttention::IntraAttention(int64_t input, int64_t hidden, Rng& rng, int64_t scorer)
    : cell(Cell::lstm, input, hidden, rng),
      scorer({.query = input + hidden, .key = hidden, .hidden = scorer == 0 ? hidden : scorer}, rng) {}

IntraAttention::State IntraAttention::start(int64_t batch) const { return {{}, cell.start(batch)}; }

Tensor IntraAttention::step(const Tensor& x, State& state, Tensor* weights) const {
  if (x.rank() != 2) fail("IntraAttention: one step takes (B, I), not {}", x.shape().text());
  if (state.past.slots() > 0) {
    const Tensor query = concat({x, hidden_part(cell.cell, state.context)}, 1);  // x_t | h~_(t-1)
    const Attended seen = attend(query, state.past, scorer, normalizer);
    state.context = seen.context;
    if (weights != nullptr) *weights = seen.weights;
  }
  const Tensor next = cell(x, state.context);  // h_t | c_t
  Tensor h = hidden_part(cell.cell, next);
  const auto slot = [](const Tensor& s) { return s.reshape({s.size(0), 1, s.size(1)}); };
  state.past.append(scorer.prepare(slot(h), slot(next)));
  return h;
}

IntraAttention::Result IntraAttention::operator()(const Tensor& x) const {
  if (x.rank() != 3 || x.size(1) < 1) fail("IntraAttention: input is {}, wants (B, T, I)", x.shape().text());
  const int64_t steps = x.size(1);
  State state = start(x.size(0));
  TensorList outputs, rows;
  for (int64_t t = 0; t < steps; ++t) {
    Tensor weights;
    outputs.push_back(step(select(x, 1, t), state, &weights));
    rows.push_back(weights.defined() ? pad(weights, 1, 0, steps - t) : Tensor::zeros({x.size(0), steps}));
  }
  return {stack(outputs, 1), stack(rows, 1)};
}

void IntraAttention::visit(const Visitor& visitor) const {
  visitor("cell", cell);
  visitor("scorer", scorer);
}

}  // namespace heed::inline HEED_PRECISION
