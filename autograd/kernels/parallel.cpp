#include "autograd/kernels/parallel.hpp"

#include <omp.h>

#include <atomic>
#include <cstdlib>

namespace heed::kernels {

namespace {

int at_start() noexcept {
  if (const char* text = std::getenv("HEED_NUM_THREADS")) {
    const int n = std::atoi(text);
    if (n >= 1) return n;
  }
  return omp_get_max_threads();  // the cores, or OMP_NUM_THREADS
}

std::atomic<int>& wanted() noexcept {
  static std::atomic<int> n{at_start()};
  return n;
}

}  // namespace

int threads() noexcept { return omp_in_parallel() ? 1 : wanted().load(std::memory_order_relaxed); }

void set_threads(int n) noexcept { wanted().store(n < 1 ? 1 : n, std::memory_order_relaxed); }

void run_parallel(int64_t chunks, void (*body)(void* context, int64_t chunk), void* context) noexcept {
#pragma omp parallel for schedule(static, 1) num_threads(static_cast <int>(chunks))
  for (int64_t chunk = 0; chunk < chunks; ++chunk) body(context, chunk);
}

}  // namespace heed::kernels
