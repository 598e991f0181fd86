// The engine's own cost: a chain of 1,000 steps x = tanh(x * w + b) on one element, per primitive op.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"

using namespace heed;
using Clock = std::chrono::steady_clock;

namespace {

double nanoseconds(Clock::time_point begin, Clock::time_point end, int ops) {
  return std::chrono::duration<double, std::nano>(end - begin).count() / ops;
}

double median(std::vector<double> list) {
  std::nth_element(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(list.size() / 2), list.end());
  return list[list.size() / 2];
}

}  // namespace

int main() {
  constexpr int steps = 1000;
  constexpr int ops = 3 * steps;
  Tensor w = Tensor::from({1}, {real(0.9)});
  Tensor b = Tensor::from({1}, {real(0.1)});
  w.requires_grad();
  b.requires_grad();
  const Tensor start = Tensor::from({1}, {real(0.5)});
  std::vector<double> forward;
  std::vector<double> back;
  for (int run = 0; run < 500; ++run) {
    const auto t0 = Clock::now();
    Tensor x = start;
    for (int i = 0; i < steps; ++i) x = tanh(add(mul(x, w), b));
    const auto t1 = Clock::now();
    backward(x);  // frees the graph that it walks
    x = Tensor();
    const auto t2 = Clock::now();
    forward.push_back(nanoseconds(t0, t1, ops));
    back.push_back(nanoseconds(t1, t2, ops));
  }
  fmt::print("{} ops on one element, {} runs         median   least\n", ops, forward.size());
  fmt::print("  forward, ns per op                   {:6.1f}  {:6.1f}\n", median(forward),
             *std::min_element(forward.begin(), forward.end()));
  fmt::print("  backward and destruction, ns per op  {:6.1f}  {:6.1f}\n", median(back),
             *std::min_element(back.begin(), back.end()));
}
