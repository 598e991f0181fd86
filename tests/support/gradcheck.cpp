#include "tests/support/gradcheck.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"

namespace heed::tests {

namespace {

// sum_i c_i y_i with c uniform in [0.5, 1.5] or [-1.5, -0.5]
Tensor project(const Tensor& y) {
  Rng rng(99);
  Tensor c = Tensor::empty(y.shape());
  real* values = c.mutable_data();
  for (int64_t i = 0; i < c.size(); ++i) {
    const double magnitude = rng.uniform(0.5, 1.5);
    values[i] = static_cast<real>(rng.integer(2) == 0 ? magnitude : -magnitude);
  }
  return sum(mul(y, c));
}

double slope(const Function& f, const std::vector<Tensor>& inputs, size_t which, int64_t element) {
  return numeric_derivative([&](double offset) {
    NoGrad no_grad;
    std::vector<Tensor> moved = inputs;
    moved[which] = inputs[which].clone();
    moved[which].mutable_data()[element] += static_cast<real>(offset);
    return static_cast<double>(project(f(moved)).item());
  });
}

}  // namespace

std::string gradcheck(const Function& f, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> leaves;
  for (const Tensor& x : inputs) {
    if (x.size() > 64) fail("gradcheck: an input has {} elements, at most 64 keep it exact", x.size());
    leaves.push_back(x.clone());
    leaves.back().requires_grad();
  }
  backward(project(f(leaves)));
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor gradient = leaves[i].grad();
    if (!gradient.defined()) return fmt::format("input {} got no gradient", i);
    double largest = 1;
    for (const real g : gradient.values()) largest = std::max(largest, std::abs(static_cast<double>(g)));
    for (int64_t e = 0; e < inputs[i].size(); ++e) {
      const double numeric = slope(f, inputs, i, e);
      const double analytic = gradient.data()[e];
      if (std::abs(numeric - analytic) <= 1e-9 * largest) continue;
      return fmt::format("input {}, element {}: analytic {:.12g}, numeric {:.12g}", i, e, analytic, numeric);
    }
  }
  return "";
}

Tensor spaced(Shape shape, double low, double high, uint64_t seed) {
  const auto n = static_cast<size_t>(shape.size());
  std::vector<int32_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  Rng rng(seed);
  shuffle(order, rng);
  Tensor x = Tensor::empty(shape);
  real* values = x.mutable_data();
  for (size_t i = 0; i < n; ++i)
    values[i] = static_cast<real>(low + (high - low) * (order[i] + 0.5) / static_cast<double>(n));
  return x;
}

Tensor away_from_zero(Shape shape, uint64_t seed) {
  Tensor x = spaced(shape, -1.7, 1.7, seed);
  real* values = x.mutable_data();
  for (int64_t i = 0; i < x.size(); ++i) values[i] += values[i] > 0 ? real(0.3) : real(-0.3);
  return x;
}

}  // namespace heed::tests
