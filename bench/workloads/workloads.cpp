#include "bench/workloads/workloads.hpp"

#include "autograd/graph.hpp"
#include "autograd/kernels/kernels.hpp"
#include "bench/support/numbers.hpp"

namespace bench {

using namespace heed;

void begin_all(const Module& module, int least_rank) {
  uint64_t number = 0;
  for (Tensor& parameter : parameters(module)) {
    if (parameter.rank() < least_rank) continue;
    begin(parameter.mutable_data(), parameter.size(), parameter.size(-1), number++);
  }
}

Tensor leaf(const Shape& shape, int stream, float scale) {
  Tensor x = Tensor::empty(shape);
  fill(x.mutable_data(), x.size(), static_cast<uint64_t>(stream), scale);
  return x.requires_grad();
}

Tensor with_gradient(const Tensor& y, const Tensor& dy) {
  return record("with_gradient", Tensor::scalar(0), {&y},
                [dy](Gradients& g) { kernels::table<float>().axpy(1, dy.data(), g.input(0), dy.size()); });
}

}  // namespace bench
