// heed's side of every workload: what bench/driver runs in turn with the peers.

#include <fmt/format.h>

#include "autograd/graph.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/parallel.hpp"
#include "bench/support/numbers.hpp"
#include "bench/workloads/workloads.hpp"

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

int main(int argc, char** argv) {
  bench::Engine engine{
      fmt::format("heed {}", heed::kernels::table<float>().arch), heed::kernels::set_threads, {}};
  for (const auto add : {bench::add_translation, bench::add_language_model, bench::add_attention,
                         bench::add_chain, bench::add_rows, bench::add_products, bench::add_bounds})
    add(engine.workloads);
  return bench::serve(argc, argv, engine);
}
