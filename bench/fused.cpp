// What a fused op brings: each beside a composition that says the same in plain ops, forward and backward,
// one thread. Every repetition begins without gradients, as a step of training does.

#include <benchmark/benchmark.h>

#include <cmath>
#include <string>

#include "autograd/graph.hpp"
#include "autograd/kernels/parallel.hpp"
#include "autograd/ops.hpp"
#include "bench/support/numbers.hpp"
#include "optim/adam.hpp"

using namespace heed;

namespace {

Tensor leaf(const Shape& shape, uint64_t stream) {
  Tensor x = Tensor::empty(shape);
  bench::fill(x.mutable_data(), x.size(), stream, 1 / std::sqrt(real(shape[-1])));
  return x.requires_grad();
}

Ids tokens(const Shape& shape, int32_t vocabulary) {
  Ids ids(shape);
  for (int64_t i = 0; i < ids.size(); ++i)
    ids.values()[static_cast<size_t>(i)] = bench::token(9, static_cast<uint64_t>(i), vocabulary);
  return ids;
}

// A GRU over a batch of sequences; the product with the input came before.
struct Recurrent {
  static constexpr int64_t batch = 32, steps = 16, n = 128;
  Tensor gates = leaf({batch, steps, 3 * n}, 1), state = leaf({batch, n}, 2), weight = leaf({3 * n, n}, 3),
         bias = leaf({3 * n}, 4);

  TensorList leaves() const { return {gates, state, weight, bias}; }
  Tensor fused() const { return recurrent(Cell::gru, gates, state, weight, bias); }
  Tensor composed() const {
    TensorList states;
    Tensor h = state;
    for (int64_t t = 0; t < steps; ++t) {
      const int64_t parts[] = {n, n, n};
      const TensorList gi = split(select(gates, 1, t), 1, parts),
                       gh = split(linear(h, weight, bias), 1, parts);
      const Tensor r = sigmoid(add(gi[0], gh[0])), z = sigmoid(add(gi[1], gh[1]));
      const Tensor c = tanh(add(gi[2], mul(r, gh[2])));
      states.push_back(h = add(c, mul(z, sub(h, c))));
    }
    return stack(states, 1);
  }
};

struct AdditiveScores {
  static constexpr int64_t batch = 32, queries = 16, slots = 24, n = 128;
  Tensor q = leaf({batch, queries, n}, 1), k = leaf({batch, slots, n}, 2), v = leaf({1, n}, 3);

  TensorList leaves() const { return {q, k, v}; }
  Tensor fused() const { return additive_scores(q, k, v.reshape({n})); }
  Tensor composed() const {
    return linear(tanh(add(q.reshape({batch, queries, 1, n}), k.reshape({batch, 1, slots, n}))), v);
  }
};

// 8 heads of 64; the composition is spared the cutting into heads.
struct Attention {
  static constexpr int64_t batch = 2, heads = 8, length = 512, width = 64;
  static Shape shape(bool cut) {
    return cut ? Shape{batch * heads, length, width} : Shape{batch, length, heads * width};
  }
  Tensor q = leaf(shape(false), 1), k = leaf(shape(false), 2), v = leaf(shape(false), 3);
  Tensor qs = leaf(shape(true), 1), ks = leaf(shape(true), 2), vs = leaf(shape(true), 3);

  TensorList leaves() const { return {q, k, v, qs, ks, vs}; }
  Tensor fused() const { return dot_attention(q, k, v, heads, real(0.125)); }
  Tensor composed() const { return matmul(softmax(scale(matmul(qs, ks, {.b = true}), real(0.125))), vs); }
};

struct CrossEntropyLoss {
  static constexpr int64_t rows = 1024, classes = 512;
  Tensor logits = leaf({rows, classes}, 1);
  Ids targets = tokens({rows}, classes), columns = tokens({rows, 1}, classes);

  TensorList leaves() const { return {logits}; }
  Tensor fused() const { return cross_entropy(logits, targets); }
  Tensor composed() const { return neg(mean(gather(log_softmax(logits), columns))); }
};

struct LayerNormalization {
  static constexpr int64_t rows = 1024, n = 512;
  Tensor x = leaf({rows, n}, 1), gamma = leaf({n}, 2), beta = leaf({n}, 3);

  TensorList leaves() const { return {x, gamma, beta}; }
  Tensor fused() const { return layer_norm(x, gamma, beta); }
  Tensor composed() const {
    const Tensor d = sub(x, mean(x, 1, true));
    const Tensor deviation = sqrt(shift(mean(mul(d, d), 1, true), real(1e-5)));
    return add(mul(div(d, deviation), gamma), beta);
  }
};

// Without a dense gradient of one-hot rows.
struct EmbeddingLookup {
  static constexpr int64_t words = 2048, n = 128, count = 512;
  Tensor table = leaf({words, n}, 1);
  Ids ids = tokens({count}, words);

  TensorList leaves() const { return {table}; }
  Tensor fused() const { return embedding(table, ids); }
  Tensor composed() const { return matmul(one_hot(ids, words), table); }
};

template <class Case>
void forward_and_backward(benchmark::State& state, bool fused) {
  const Case both;
  TensorList leaves = both.leaves();
  for (auto _ : state) {
    for (Tensor& x : leaves) x.zero_grad();
    backward(sum(fused ? both.fused() : both.composed()));
  }
}

// A step of Adam over a million parameters: the kernel, and the formulas as ops.
void adam(benchmark::State& state, bool fused) {
  Tensor p = leaf({1000, 1000}, 1);
  backward(sum(mul(p, p)));
  Adam kernel({p});
  const NoGrad none;
  Tensor value = p.detach(), m = zeros_like(p), v = zeros_like(p);
  double power1 = 1, power2 = 1;  // of the betas
  for (auto _ : state) {
    if (fused) {
      kernel.step();
    } else {
      const Tensor g = p.grad();
      m = add(scale(m, real(0.9)), scale(g, real(0.1)));
      v = add(scale(v, real(0.999)), scale(mul(g, g), real(0.001)));
      power1 *= 0.9, power2 *= 0.999;
      const Tensor root = scale(sqrt(v), real(1 / std::sqrt(1 - power2)));
      value = sub(value, scale(div(m, shift(root, real(1e-8))), real(1e-3 / (1 - power1))));
    }
  }
}

void compare(const std::string& name, void (*run)(benchmark::State&, bool)) {
  benchmark::RegisterBenchmark((name + "/fused").c_str(), run, true);
  benchmark::RegisterBenchmark((name + "/composed").c_str(), run, false);
}

}  // namespace

int main(int argc, char** argv) {
  kernels::set_threads(1);
  compare("recurrent", forward_and_backward<Recurrent>);
  compare("additive_scores", forward_and_backward<AdditiveScores>);
  compare("dot_attention", forward_and_backward<Attention>);
  compare("cross_entropy", forward_and_backward<CrossEntropyLoss>);
  compare("layer_norm", forward_and_backward<LayerNormalization>);
  compare("embedding", forward_and_backward<EmbeddingLookup>);
  compare("adam", adam);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
