// E: what an op costs above its arithmetic: a long chain on one element, forward, backward and destruction.

#include <cmath>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "bench/support/sizes.hpp"
#include "bench/workloads/workloads.hpp"

namespace bench {

using namespace heed;

namespace {

Workload chain() {
  Tensor w = Tensor::full({1}, chain_w), b = Tensor::full({1}, chain_b);
  w.requires_grad();
  b.requires_grad();
  const Tensor start = Tensor::full({1}, chain_x);
  auto step = [=]() mutable {
    w.zero_grad();
    b.zero_grad();
    Tensor x = start;
    for (int i = 0; i < chain_steps; ++i) x = tanh(x * w + b);
    backward(x);
    return x.item();
  };
  Workload work{.run = step, .ops = chain_ops};
  work.check = double(step()) + std::abs(double(w.grad().item())) + std::abs(double(b.grad().item()));
  return work;
}

}  // namespace

void add_chain(Workloads& list) { list.push_back({"E", chain}); }

}  // namespace bench
