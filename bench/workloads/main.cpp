// heed's side of every workload: what bench/driver runs in turn with the peers.

#include <fmt/format.h>

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/parallel.hpp"
#include "bench/workloads/workloads.hpp"

int main(int argc, char** argv) {
  bench::Engine engine{
      fmt::format("heed {}", heed::kernels::table<float>().arch), heed::kernels::set_threads, {}};
  for (const auto add : {bench::add_translation, bench::add_language_model, bench::add_attention,
                         bench::add_chain, bench::add_rows, bench::add_products, bench::add_bounds})
    add(engine.workloads);
  return bench::serve(argc, argv, engine);
}
