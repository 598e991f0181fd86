// D, E, F: attention alone, a long chain, memory-bound ops.

#include <cmath>

#include "bench/peers/torch/torch.hpp"
#include "bench/support/sizes.hpp"

namespace bench {

namespace {

using torch::Tensor;

// softmax(q k^T / sqrt(E)) v of (B, T, H E), a head at a time.
Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const Attention& size,
              const Tensor& hidden) {
  const auto heads = [&](const Tensor& x) {
    return x.view({size.batch, size.length, size.heads, size.width}).transpose(1, 2);
  };
  Tensor scores = torch::matmul(heads(q) / std::sqrt(double(size.width)), heads(k).transpose(2, 3));
  if (size.causal) scores = scores.masked_fill(hidden, -INFINITY);
  return torch::matmul(scores.softmax(3), heads(v)).transpose(1, 2).reshape(q.sizes());
}

Workload attention(const Attention& size) {
  const std::vector<int64_t> shape{size.batch, size.length, size.heads * size.width};
  Tensor q = filled(shape, 1).requires_grad_(), k = filled(shape, 2).requires_grad_(),
         v = filled(shape, 3).requires_grad_();
  const Tensor dy = filled(shape, 4);
  const Tensor hidden = torch::ones({size.length, size.length}, torch::kBool).triu(1);
  auto step = [=]() mutable {
    for (Tensor* x : {&q, &k, &v}) x->mutable_grad().reset();
    Tensor y = attend(q, k, v, size, hidden);
    y.backward(dy);
    return y;
  };
  Workload work{.run = step, .flop = size.flop()};
  work.check = digest(step());
  work.check += digest(q.grad()) + digest(k.grad()) + digest(v.grad());
  return work;
}

Workload chain() {
  Tensor w = torch::full({1}, chain_w).requires_grad_(), b = torch::full({1}, chain_b).requires_grad_();
  const Tensor start = torch::full({1}, chain_x);
  auto step = [=]() mutable {
    w.mutable_grad().reset();
    b.mutable_grad().reset();
    Tensor x = start;
    for (int i = 0; i < chain_steps; ++i) x = torch::tanh(x * w + b);
    x.backward();
    return x.item<double>();
  };
  Workload work{.run = step, .ops = chain_ops};
  work.check = step();
  work.check += std::abs(w.grad().item<double>()) + std::abs(b.grad().item<double>());
  return work;
}

Tensor matrix() { return filled({rows, columns}, 1, row_scale); }
Tensor line() { return filled({elements}, 1, row_scale); }

template <class F>
Workload measured(double bytes, F f) {
  const torch::NoGradGuard no_grad;
  Workload work{.run =
                    [f] {
                      const torch::NoGradGuard inside;
                      f();
                    },
                .bytes = bytes};
  work.check = digest(f());
  return work;
}

Workload softmax_backward() {
  const Tensor y = matrix().softmax(1), dy = filled({rows, columns}, 2);
  return measured(3 * row_bytes, [=] { return at::_softmax_backward_data(dy, y, 1, torch::kFloat); });
}

Workload layer_norm_backward() {
  const Tensor x = matrix(), dy = filled({rows, columns}, 2), gamma = torch::ones({columns}),
               beta = torch::zeros({columns});
  const auto [y, mean, rstd] = at::native_layer_norm(x, {columns}, gamma, beta, 1e-5);
  return measured(3 * row_bytes, [=, mean = mean, rstd = rstd] {
    return std::get<0>(
        at::native_layer_norm_backward(dy, x, {columns}, mean, rstd, gamma, beta, {true, true, true}));
  });
}

}  // namespace

void add_ops(std::vector<Named>& list) {
  for (const Attention& size : attentions()) list.push_back({size.name, [size] { return attention(size); }});
  list.push_back({"E", chain});
  list.push_back(
      {"F-softmax", [] { return measured(2 * row_bytes, [x = matrix()] { return x.softmax(1); }); }});
  list.push_back({"F-tanh", [] { return measured(2 * element_bytes, [x = line()] { return x.tanh(); }); }});
  list.push_back({"F-exp", [] { return measured(2 * element_bytes, [x = line()] { return x.exp(); }); }});
  list.push_back({"F-layer-norm", [] {
                    const Tensor gamma = torch::ones({columns}), beta = torch::zeros({columns});
                    return measured(2 * row_bytes, [=, x = matrix()] {
                      return torch::layer_norm(x, {columns}, gamma, beta, 1e-5);
                    });
                  }});
  list.push_back({"F-softmax-backward", softmax_backward});
  list.push_back({"F-layer-norm-backward", layer_norm_backward});
}

}  // namespace bench

int main(int argc, char** argv) {
  bench::Engine engine{"PyTorch " TORCH_VERSION,
                       [](int threads) {
                         at::set_num_threads(threads);
                         at::set_num_interop_threads(1);
                       },
                       {}};
  bench::add_models(engine.workloads);
  bench::add_ops(engine.workloads);
  return bench::serve(argc, argv, engine);
}
