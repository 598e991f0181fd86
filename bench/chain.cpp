// The engine's own cost: a chain of 1,000 steps x = tanh(x * w + b) on one element, per primitive op.

#include <benchmark/benchmark.h>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"

using namespace heed;

namespace {

constexpr int steps = 1000, ops = 3 * steps;

Tensor chain(Tensor x, const Tensor& w, const Tensor& b) {
  for (int i = 0; i < steps; ++i) x = tanh(add(mul(x, w), b));
  return x;
}

// Measures either the forward, or the backward, which frees the graph that it walks, and the last handle's
// end.
void ops_on_one_element(benchmark::State& state, bool forward) {
  Tensor w = Tensor::full({1}, real(0.9)), b = Tensor::full({1}, real(0.1));
  w.requires_grad();
  b.requires_grad();
  const Tensor start = Tensor::full({1}, real(0.5));
  for (auto _ : state) {
    if (!forward) state.PauseTiming();
    Tensor x = chain(start, w, b);
    forward ? state.PauseTiming() : state.ResumeTiming();
    backward(x);
    x = Tensor();
    if (forward) state.ResumeTiming();
  }
  state.counters["per_op"] =
      benchmark::Counter(ops, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(ops_on_one_element, forward, true);
BENCHMARK_CAPTURE(ops_on_one_element, backward_and_destruction, false);

}  // namespace

BENCHMARK_MAIN();
