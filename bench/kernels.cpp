// Elementary functions and rows on one thread: the fastest of several runs, in elements and bytes a second.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "autograd/kernels/kernels.hpp"

namespace {

using heed::kernels::Table;

// This thread's own time: on a shared machine, others' turns do not count.
double seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Prints a line for `run`, which handles n elements and moves `bytes` for each.
template <class F>
void measure(const char* type, const char* name, int64_t n, double bytes, F run) {
  double fastest = 1e9;
  for (int round = 0; round < 30; ++round) {
    const double start = seconds();
    run();
    fastest = std::min(fastest, seconds() - start);
  }
  const double rate = static_cast<double>(n) / fastest / 1e9;
  fmt::print("{:6} {:24} {:8.3f} ms  {:6.2f} G/s  {:6.1f} GB/s\n", type, name, 1e3 * fastest, rate,
             rate * bytes);
}

template <class T>
void measure_all(const char* type) {
  const Table<T>& t = heed::kernels::table<T>();
  const double size = sizeof(T);
  const int64_t n = 1'000'000;
  std::vector<T> x(static_cast<std::size_t>(n)), y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = T(0.001) + T(i % 4099) / T(500);  // 0 to 8.2
  const auto map = [&](const char* name, void (*f)(const T*, T*, int64_t) noexcept) {
    measure(type, name, n, 2 * size, [&] { f(x.data(), y.data(), n); });
  };
  map("log", t.log);
  for (T& v : x) v -= 4;
  map("exp", t.exp);
  map("tanh", t.tanh);
  map("sigmoid", t.sigmoid);
  map("erf", t.erf);
  map("gelu", t.gelu);
  measure(type, "add", n, 3 * size, [&] { t.add(x.data(), x.data(), y.data(), n); });
  measure(type, "dot", n, 2 * size, [&] { y[0] = t.dot(x.data(), x.data(), n); });

  const int64_t rows = 4096, cols = 512;
  std::vector<T> a(static_cast<std::size_t>(rows * cols)), b(a.size()),
      gamma(static_cast<std::size_t>(cols), T(1));
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = T(i % 4099) / T(500) - 4;
  const auto each_row = [&](const char* name, double arrays, auto row) {
    measure(type, name, rows * cols, arrays * size, [&] {
      for (int64_t r = 0; r < rows; ++r) row(a.data() + r * cols, b.data() + r * cols);
    });
  };
  T mean = 0, rstd = 0;
  each_row("softmax 4096 x 512", 2, [&](const T* from, T* to) { t.softmax(from, nullptr, to, cols); });
  each_row("softmax backward", 4, [&](const T* from, T* to) { t.softmax_backward(from, from, to, cols); });
  each_row("layer norm 4096 x 512", 2, [&](const T* from, T* to) {
    t.layer_norm(from, gamma.data(), gamma.data(), T(1e-5), to, cols, &mean, &rstd);
  });
  each_row("layer norm backward", 4, [&](const T* from, T* to) {
    t.layer_norm_backward(from, gamma.data(), from, mean, rstd, to, nullptr, nullptr, cols);
  });
  each_row("additive scores", 1,
           [&](const T* from, T* to) { t.additive(gamma.data(), from, gamma.data(), to, 1, cols); });
}

}  // namespace

int main() {
  fmt::print("architecture {}, one thread\n", heed::kernels::table<float>().arch);
  measure_all<float>("float");
  measure_all<double>("double");
}
