#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "layers/module.hpp"
#include "tests/support/errors.hpp"

// What the tests of layers share.

namespace heed::tests {

// For two ways to compute one thing, relative to the largest element.
inline constexpr double tolerance = sizeof(real) == 8 ? 1e-12 : 2e-5;

inline Tensor random_tensor(const Shape& shape, Rng& rng) {
  Tensor x = Tensor::empty(shape);
  real* values = x.mutable_data();
  for (int64_t i = 0; i < x.size(); ++i) values[i] = static_cast<real>(rng.uniform(-1, 1));
  return x;
}

inline Ids random_ids(const Shape& shape, int64_t low, int64_t high, Rng& rng) {
  std::vector<int32_t> values(static_cast<size_t>(shape.size()));
  for (int32_t& v : values) v = static_cast<int32_t>(low + rng.integer(high - low));
  return {shape, values};
}

// Same shape, and every element within `slack` times max(1, largest |b|). A NaN is close to nothing.
inline bool close_all(const Tensor& a, const Tensor& b, double slack = tolerance) {
  if (a.shape() != b.shape()) return false;
  double largest = 1;
  for (const real v : b.values()) largest = std::max(largest, std::abs(static_cast<double>(v)));
  for (int64_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i]);
    if (!(std::abs(difference) <= slack * largest)) return false;
  }
  return true;
}

inline bool all_zero(const Tensor& x) {
  return std::all_of(x.values().begin(), x.values().end(), [](real v) { return v == 0; });
}

inline std::vector<std::string> names_of(const Module& module) {
  std::vector<std::string> names;
  for (const NamedParameter& p : named_parameters(module)) names.push_back(p.name);
  return names;
}

using Names = std::vector<std::string>;

// A number that depends on every element of x differently, so that a gradient of it hides nothing.
inline Tensor probe(const Tensor& x) {
  Rng rng(77);
  return sum(x * random_tensor(x.shape(), rng));
}

}  // namespace heed::tests
