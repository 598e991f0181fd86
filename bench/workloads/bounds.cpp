// What one or all cores can multiply and add, and what they can move: measured by the same protocol, so that
// it is measured in turn with what is held against it.

#include "bench/support/bounds.hpp"

#include <memory>

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/parallel.hpp"
#include "bench/workloads/workloads.hpp"

namespace bench {

using namespace heed;

namespace {

Workload peak() {
  constexpr int times = 50;  // a millisecond or so: far above what waking a thread costs
  const char* architecture = kernels::table<float>().arch;
  const auto run = [](void* name, int64_t /*piece*/) {
    for (int i = 0; i < times; ++i) multiply_add(static_cast<const char*>(name));
  };
  const double flop = multiply_add(architecture) * times * kernels::threads();
  return {.run = [=] { kernels::run_parallel(kernels::threads(), run, const_cast<char*>(architecture)); },
          .flop = flop};
}

Workload triad() {
  const auto arrays = std::make_shared<Triad>();
  return {.run = [arrays] { arrays->run(kernels::threads()); }, .bytes = arrays->bytes()};
}

}  // namespace

void add_bounds(Workloads& list) {
  list.push_back({"peak", peak});
  list.push_back({"triad", triad});
}

}  // namespace bench
