// Elementary functions and rows on one thread, in elements and bytes a second.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/kernels/kernels.hpp"

namespace {

using heed::kernels::Table;

constexpr int64_t elements = 1'000'000, rows = 4096, cols = 512;

// What a kernel reads and writes: x from `lowest` on, 8.2 upwards.
template <class T>
struct Arrays {
  Arrays(int64_t n, T lowest) : x(static_cast<std::size_t>(n)), y(x.size()), gamma(cols, T(1)) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = lowest + T(i % 4099) / T(500);
  }
  std::vector<T> x, y, gamma;
};

// Registers `run(arrays)`, which handles n elements and moves so many arrays of them.
template <class T, class F>
void add(const std::string& name, int64_t n, int arrays, F run, T lowest = -4) {
  const std::string full = fmt::format("{} {}", sizeof(T) == 4 ? "float" : "double", name);
  benchmark::RegisterBenchmark(full.c_str(), [=](benchmark::State& state) {
    Arrays<T> data(n, lowest);
    for (auto _ : state) run(data);
    state.SetItemsProcessed(state.iterations() * n);
    state.SetBytesProcessed(state.iterations() * n * arrays * int64_t{sizeof(T)});
  });
}

template <class T>
void add_maps(const Table<T>& t) {
  const auto map = [](const char* name, void (*f)(const T*, T*, int64_t) noexcept, T lowest = -4) {
    add<T>(
        name, elements, 2, [f](Arrays<T>& d) { f(d.x.data(), d.y.data(), elements); }, lowest);
  };
  map("log", t.log, T(0.001));
  map("exp", t.exp);
  map("tanh", t.tanh);
  map("sigmoid", t.sigmoid);
  map("erf", t.erf);
  map("gelu", t.gelu);
  add<T>("add", elements, 3, [&t](Arrays<T>& d) { t.add(d.x.data(), d.x.data(), d.y.data(), elements); });
  add<T>("dot", elements, 2, [&t](Arrays<T>& d) { d.y[0] = t.dot(d.x.data(), d.x.data(), elements); });
}

template <class T>
void add_rows(const Table<T>& t) {
  const auto each = [](const char* name, int arrays, auto row) {
    add<T>(fmt::format("{} {} x {}", name, rows, cols), rows * cols, arrays, [row](Arrays<T>& d) {
      for (int64_t r = 0; r < rows; ++r) row(d.x.data() + r * cols, d.y.data() + r * cols, d.gamma.data());
    });
  };
  each("softmax", 2, [&t](const T* x, T* y, const T* /*gamma*/) { t.softmax(x, nullptr, y, cols); });
  each("softmax backward", 4,
       [&t](const T* x, T* y, const T* /*gamma*/) { t.softmax_backward(x, x, true, y, cols); });
  each("layer norm", 2, [&t](const T* x, T* y, const T* gamma) {
    T mean = 0, rstd = 0;
    t.layer_norm(x, gamma, gamma, T(1e-5), y, cols, &mean, &rstd);
  });
  each("layer norm backward", 4, [&t](const T* x, T* y, const T* gamma) {
    t.layer_norm_backward(x, gamma, x, T(0.1), T(0.4), true, y, nullptr, nullptr, cols);
  });
  each("additive scores", 1,
       [&t](const T* x, T* y, const T* gamma) { t.additive(gamma, x, gamma, y, 1, cols); });
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  fmt::print("architecture {}, one thread\n", heed::kernels::table<float>().arch);
  add_maps(heed::kernels::table<float>());
  add_rows(heed::kernels::table<float>());
  add_maps(heed::kernels::table<double>());
  add_rows(heed::kernels::table<double>());
  benchmark::RunSpecifiedBenchmarks();
}
