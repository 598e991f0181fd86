// D: multi-head attention alone, forward and backward.

#include <cmath>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "bench/support/numbers.hpp"
#include "bench/support/sizes.hpp"
#include "bench/workloads/workloads.hpp"

namespace bench {

using namespace heed;

namespace {

Workload attention(const Attention& size) {
  const Shape shape{size.batch, size.length, size.heads * size.width};
  Tensor q = leaf(shape, 1), k = leaf(shape, 2), v = leaf(shape, 3);
  const Tensor dy = leaf(shape, 4).detach();
  const Mask mask = size.causal ? Mask().causal() : Mask();
  auto step = [=]() mutable {
    for (Tensor* x : {&q, &k, &v}) x->zero_grad();
    const Tensor y = dot_attention(q, k, v, size.heads, 1 / std::sqrt(real(size.width)), mask);
    backward(with_gradient(y, dy));
    return y;
  };
  Workload work{.run = step, .flop = size.flop()};
  for (const Tensor& x : {step(), q.grad(), k.grad(), v.grad()}) work.check += digest(x.data(), x.size());
  return work;
}

}  // namespace

void add_attention(Workloads& list) {
  for (const Attention& size : attentions()) list.push_back({size.name, [size] { return attention(size); }});
}

}  // namespace bench
