#include "autograd/simd.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

namespace heed::inline HEED_PRECISION {
namespace {

using Clock = std::chrono::steady_clock;

void counting_gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, real alpha, const real* a,
                   int64_t lda, const real* b, int64_t ldb, bool accumulate, real* c, int64_t ldc) noexcept {
  if (Profiling::counting.load(std::memory_order_relaxed))
    Profiling::flops.fetch_add(2 * m * n * k, std::memory_order_relaxed);
  kernels::table<real>().gemm(trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, accumulate, c, ldc);
}

// The seconds of the fastest of `rounds` runs of `work`.
template <class F>
double fastest(int rounds, F work) {
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < rounds; ++i) {
    const auto begin = Clock::now();
    work();
    least = std::min(least, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return least;
}

Peak measure(int threads) {
  constexpr int64_t chain = 12 * 16 * 60'000;  // some 0.2 ms
  const kernels::Table<real>& table = kernels::table<real>();
  std::vector<real> x((size_t{32} << 20) / sizeof(real), real(1)), y(x.size(), real(0));
  const auto n = static_cast<int64_t>(x.size());
  Peak peak{.threads = threads};
  for (int round = 0; round < 8; ++round) {  // in turn: on a busy machine a bad moment may last some
    const double multiplying = fastest(10, [&] {
      kernels::parallel_for(threads, 1, [&](int64_t begin, int64_t end) {
        for (; begin < end; ++begin) table.multiply_adds(chain, real(0.999), real(0.001));
      });
    });
    const double moving = fastest(1, [&] {
      kernels::parallel_for(n, n / threads, [&](int64_t begin, int64_t end) {
        table.axpy(real(1), x.data() + begin, y.data() + begin, end - begin);
      });
    });
    peak.flops = std::max(peak.flops, 2.0 * double(chain * threads) / multiplying);
    peak.bytes = std::max(peak.bytes, 3.0 * double(n) * sizeof(real) / moving);
  }
  return peak;
}

}  // namespace

const kernels::Table<real>& counted_kernels() noexcept {
  static const kernels::Table<real> table = [] {
    kernels::Table<real> counted = kernels::table<real>();
    counted.gemm = counting_gemm;
    return counted;
  }();
  return table;
}

const Precision& precision() noexcept {
  static constexpr Precision own{
      .name = sizeof(real) == sizeof(double) ? "double" : "float", .bytes = sizeof(real), .measure = measure};
  return own;
}

}  // namespace heed::inline HEED_PRECISION
