#include "tests/precision/results.hpp"

#include <functional>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"

namespace heed::tests::HEED_PRECISION {

namespace {

using Inputs = std::vector<Tensor>;

// Multiples of 1/64 between -2 and 2: the same numbers in both precisions.
Tensor input(Shape shape, uint64_t seed) {
  Rng rng(seed);
  Tensor x = Tensor::empty(shape);
  real* values = x.mutable_data();
  for (int64_t i = 0; i < x.size(); ++i) values[i] = static_cast<real>(rng.integer(257) - 128) / 64;
  return x;
}

Result run(const char* op, Inputs inputs, const std::function<Tensor(const Inputs&)>& f) {
  for (Tensor& x : inputs) x.requires_grad();
  const Tensor y = f(inputs);
  backward(sum(mul(y, input(y.shape(), 77))));
  Result result{op, {y.values().begin(), y.values().end()}};
  for (const Tensor& x : inputs) {
    const Tensor gradient = x.grad();
    result.numbers.insert(result.numbers.end(), gradient.values().begin(), gradient.values().end());
  }
  return result;
}

}  // namespace

std::vector<Result> results() {
  const Inputs x = {input({5, 37}, 1)};
  const Tensor positive = shift(abs(input({5, 37}, 2)), real(0.25));
  const Tensor sequence = input({3, 9, 24}, 3);
  const Tensor memory = input({3, 7, 24}, 4);
  const Mask mask = Mask::of_lengths({7, 3, 0});
  std::vector<Result> all = {
      run("exp", x, [](const Inputs& i) { return exp(i[0]); }),
      run("log", {positive}, [](const Inputs& i) { return log(i[0]); }),
      run("sqrt", {positive}, [](const Inputs& i) { return sqrt(i[0]); }),
      run("div", {input({5, 37}, 5), positive}, [](const Inputs& i) { return div(i[0], i[1]); }),
      run("tanh", x, [](const Inputs& i) { return tanh(i[0]); }),
      run("sigmoid", x, [](const Inputs& i) { return sigmoid(i[0]); }),
      run("gelu", x, [](const Inputs& i) { return gelu(i[0]); }),
      run("silu", x, [](const Inputs& i) { return silu(i[0]); }),
      run("softplus", x, [](const Inputs& i) { return softplus(i[0]); }),
      run("softmax", {input({3, 7}, 6)}, [&](const Inputs& i) { return softmax(i[0], mask); }),
      run("sparsemax", {input({3, 7}, 6)}, [&](const Inputs& i) { return sparsemax(i[0], mask); }),
      run("entmax15", {input({3, 7}, 6)}, [&](const Inputs& i) { return entmax15(i[0], mask); }),
      run("entmax", {input({3, 7}, 6), Tensor::scalar(real(1.25))},
          [&](const Inputs& i) { return entmax(i[0], i[1], mask); }),
      run("monotonic", {input({3, 5, 7}, 6), input({3, 7}, 7)},
          [](const Inputs& i) { return monotonic(sigmoid(i[0]), i[1]); }),
      run("log_softmax", x, [](const Inputs& i) { return log_softmax(i[0]); }),
      run("layer_norm", {sequence, input({24}, 7), input({24}, 8)},
          [](const Inputs& i) { return layer_norm(i[0], i[1], i[2]); }),
      run("rms_norm", {sequence, input({24}, 7)}, [](const Inputs& i) { return rms_norm(i[0], i[1]); }),
      run("cross_entropy", {input({4, 19}, 9)},
          [](const Inputs& i) {
            return cross_entropy(i[0], Ids({4}, {18, -1, 0, 7}), {.label_smoothing = real(0.125)});
          }),
      run("matmul", {sequence, memory}, [](const Inputs& i) { return matmul(i[0], i[1], {.b = true}); }),
      run("linear", {sequence, input({33, 24}, 10), input({33}, 11)},
          [](const Inputs& i) { return linear(i[0], i[1], i[2]); }),
      run("additive_scores", {sequence, memory, input({24}, 12)},
          [&](const Inputs& i) { return additive_scores(i[0], i[1], i[2], mask); }),
      run("dot_attention", {sequence, memory, memory.clone()},
          [&](const Inputs& i) { return dot_attention(i[0], i[1], i[2], 3, real(0.25), mask); }),
  };
  // Small weights: with large ones a recurrent net is chaotic and magnifies the last bit step by step.
  const Tensor weights = scale(input({24, 24}, 14), real(0.125));
  for (const Cell cell : {Cell::rnn, Cell::gru, Cell::lstm}) {
    const int64_t hidden = 24 / gates(cell);
    all.push_back(
        run("recurrent",
            {sequence, input({3, state_parts(cell) * hidden}, 13), slice(weights, 1, 0, hidden).detach()},
            [&](const Inputs& i) { return recurrent(cell, i[0], i[1], i[2], {}); }));
  }
  return all;
}

}  // namespace heed::tests::HEED_PRECISION
