#include "layers/recurrent.hpp"

#include "autograd/error.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

// 1 at the time steps before a row's length, 0 after: (B, T, 1).
Tensor before_end(std::span<const int32_t> lengths, int64_t steps) {
  const auto batch = static_cast<int64_t>(lengths.size());
  Tensor ones = Tensor::empty({batch, steps, 1});
  real* out = ones.mutable_data();
  for (const int32_t length : lengths) {
    for (int64_t t = 0; t < steps; ++t) *out++ = t < length ? 1 : 0;
  }
  return ones;
}

bool all_full(std::span<const int32_t> lengths, int64_t steps) {
  for (const int32_t length : lengths) {
    if (length < steps) return false;
  }
  return true;
}

}  // namespace

Tensor hidden_part(Cell cell, const Tensor& state) {
  const int64_t parts = state_parts(cell);
  return parts == 1 ? state : slice(state, -1, 0, state.size(-1) / parts);
}

RecurrentCell::RecurrentCell(Cell cell, int64_t input, int64_t hidden, Rng& rng)
    : cell(cell), hidden(hidden) {
  if (input < 1 || hidden < 1) {
    fail("RecurrentCell: sizes input {}, hidden {} must be at least 1", input, hidden);
  }
  const int64_t rows = gates(cell) * hidden;
  weight_ih = fan_in_uniform({rows, input}, hidden, rng);
  weight_hh = fan_in_uniform({rows, hidden}, hidden, rng);
  bias_ih = fan_in_uniform({rows}, hidden, rng);
  bias_hh = fan_in_uniform({rows}, hidden, rng);
}

Tensor RecurrentCell::operator()(const Tensor& x, const Tensor& state) const {
  if (x.rank() != 2) fail("RecurrentCell: one step takes (B, I), not {}", x.shape().text());
  return run(x.reshape({x.size(0), 1, x.size(1)}), state).reshape(state.shape());
}

Tensor RecurrentCell::run(const Tensor& x, const Tensor& state, const Sequence& sequence) const {
  return recurrent(cell, linear(x, weight_ih, bias_ih), state, weight_hh, bias_hh, sequence);
}

Tensor RecurrentCell::start(int64_t batch) const {
  return Tensor::zeros({batch, state_parts(cell) * hidden});
}

void RecurrentCell::visit(const Visitor& visitor) const {
  visitor("weight_ih", weight_ih);
  visitor("weight_hh", weight_hh);
  visitor("bias_ih", bias_ih);
  visitor("bias_hh", bias_hh);
}

Recurrent::Recurrent(Cell cell, int64_t input, int64_t hidden, Options options, Rng& rng)
    : options(options), dropout(options.dropout) {
  if (options.layers < 1) fail("Recurrent: {} layers, wants at least 1", options.layers);
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    for (int64_t d = 0; d < directions(); ++d) {
      cells.emplace_back(cell, layer == 0 ? input : directions() * hidden, hidden, rng);
    }
  }
}

Recurrent::Result Recurrent::operator()(const Tensor& x, std::span<const int32_t> lengths,
                                        const States& states, const Pass& pass) const {
  if (x.rank() != 3 || x.size(1) < 1) fail("Recurrent: input is {}, wants (B, T, I)", x.shape().text());
  const int64_t last = x.size(1) - 1;
  const States first = states.empty() ? start(x.size(0)) : states;
  check(first);
  const Tensor mask = all_full(lengths, x.size(1)) ? Tensor() : before_end(lengths, x.size(1));
  Result result{.output = x, .states = {}};
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    if (layer > 0) result.output = dropout(result.output, pass);
    TensorList outputs;
    for (int64_t d = 0; d < directions(); ++d) {
      const size_t i = result.states.size();
      const bool backward = d == 1;
      const Tensor all = cells[i].run(result.output, first[i], {.lengths = lengths, .backward = backward});
      // After its length a row keeps its state, and going backward it starts from its own last step, so both
      // final states stand at an end of the sequence.
      result.states.push_back(select(all, 1, backward ? 0 : last));
      outputs.push_back(hidden_part(cells[i].cell, all));
    }
    result.output = outputs.size() == 1 ? outputs[0] : concat(outputs, 2);
    if (mask.defined()) result.output = result.output * mask;
  }
  return result;
}

Tensor Recurrent::step(const Tensor& x, States& states, const Pass& pass) const {
  if (options.bidirectional) fail("Recurrent: a bidirectional layer cannot go step by step");
  check(states);
  Tensor output = x;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) output = dropout(output, pass);
    states[i] = cells[i](output, states[i]);
    output = hidden_part(cells[i].cell, states[i]);
  }
  return output;
}

Recurrent::States Recurrent::start(int64_t batch) const {
  States states;
  for (const RecurrentCell& cell : cells) states.push_back(cell.start(batch));
  return states;
}

void Recurrent::check(const States& states) const {
  if (states.size() != cells.size()) {
    fail("Recurrent: {} states for {} layers and directions", states.size(), cells.size());
  }
}

void Recurrent::visit(const Visitor& visitor) const {
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string layer = "_l" + std::to_string(static_cast<int64_t>(i) / directions());
    const std::string suffix = layer + (options.bidirectional && i % 2 == 1 ? "_reverse" : "");
    visitor("weight_ih" + suffix, cells[i].weight_ih);
    visitor("weight_hh" + suffix, cells[i].weight_hh);
    visitor("bias_ih" + suffix, cells[i].bias_ih);
    visitor("bias_hh" + suffix, cells[i].bias_hh);
  }
}

}  // namespace heed::inline HEED_PRECISION
