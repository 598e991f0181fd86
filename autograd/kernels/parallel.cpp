#include "autograd/kernels/parallel.hpp"

#include <omp.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace heed::kernels {

namespace {

constexpr int most_threads = 1024;

int at_start() noexcept {
  if (const char* text = std::getenv("HEED_NUM_THREADS")) {
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    if (*text != '\0' && *end == '\0' && n >= 1 && n <= most_threads) return static_cast<int>(n);
    if (*text != '\0') {
      std::fprintf(stderr, "HEED_NUM_THREADS=%s: expected a number from 1 to %d\n", text, most_threads);
      std::exit(1);
    }
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
