// How close matrix products come to what one core can multiply and add: FLOP/s, and the share of a loop of
// multiply-adds in registers that is measured just before, so that both see the same clock.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/parallel.hpp"
#include "bench/support/bounds.hpp"

namespace {

// FLOP/s of this thread's own time: on a shared machine, others' turns do not count.
double peak() {
  const auto seconds = [] {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  double best = 0;
  for (int round = 0; round < 50; ++round) {
    const double begin = seconds();
    const double operations = bench::multiply_add(heed::kernels::table<float>().arch);
    best = std::max(best, operations / (seconds() - begin));
  }
  return best;
}

struct Size {
  bool trans_a, trans_b;
  int64_t m, n, k;
};

template <class T>
void multiply(benchmark::State& state, const Size& s) {
  std::vector<T> a(static_cast<std::size_t>(s.m * s.k), T(0.5)),
      b(static_cast<std::size_t>(s.k * s.n), T(0.25)), c(static_cast<std::size_t>(s.m * s.n));
  const double most = peak() * sizeof(float) / sizeof(T);
  for (auto _ : state) {
    heed::kernels::table<T>().gemm(s.trans_a, s.trans_b, s.m, s.n, s.k, T(1), a.data(), s.trans_a ? s.m : s.k,
                                   b.data(), s.trans_b ? s.k : s.n, false, c.data(), s.n);
  }
  const double work = 2.0 * static_cast<double>(s.m * s.n * s.k);
  state.counters["FLOP"] = benchmark::Counter(work, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["of_peak"] = benchmark::Counter(work / most, benchmark::Counter::kIsIterationInvariantRate);
}

template <class T>
void add(const char* type, const Size& s) {
  const std::string name =
      fmt::format("{} {}{} {}x{}x{}", type, s.trans_a ? "T" : "N", s.trans_b ? "T" : "N", s.m, s.n, s.k);
  benchmark::RegisterBenchmark(name.c_str(), multiply<T>, s);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  heed::kernels::set_threads(1);
  fmt::print("architecture {}, one thread; N or T: a, b as they are or transposed; m x n x k\n",
             heed::kernels::table<float>().arch);
  for (const int64_t n : {32, 64, 128, 256, 512, 1024}) add<float>("float", {false, false, n, n, n});
  for (const int64_t n : {64, 256, 512}) add<float>("float", {false, true, n, n, n});
  for (const int64_t n : {64, 256, 512}) add<float>("float", {true, false, n, n, n});
  for (const bool trans_a : {false, true}) {  // one step of a recurrent network
    for (const bool trans_b : {false, true}) add<float>("float", {trans_a, trans_b, 32, 192, 96});
  }
  add<float>("float", {true, false, 192, 96, 32});  // its weight gradient
  add<float>("float", {false, true, 64, 192, 64});
  for (const bool trans_b : {false, true}) add<float>("float", {false, trans_b, 32, 1024, 256});
  for (const int64_t m : {1, 2, 4, 8}) {
    for (const bool trans_b : {false, true}) add<float>("float", {false, trans_b, m, 192, 96});
  }
  for (const int64_t n : {64, 256, 512}) add<double>("double", {false, false, n, n, n});
  benchmark::RunSpecifiedBenchmarks();
}
