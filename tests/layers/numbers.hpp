#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/layers/common.hpp"

// What a model computes, written out once more on plain numbers.

namespace heed::tests {

using Vector = std::vector<double>;

inline double dot(const Vector& a, const Vector& b) {
  double s = 0;
  for (size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
  return s;
}

inline Vector plus(Vector a, const Vector& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

inline Vector join(Vector a, const Vector& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Vector part(const Vector& a, size_t index, size_t size) {
  const auto begin = a.begin() + static_cast<ptrdiff_t>(index * size);
  return {begin, begin + static_cast<ptrdiff_t>(size)};
}

inline Vector each(Vector a, double (*f)(double)) {
  for (double& x : a) x = f(x);
  return a;
}

inline Vector softmax_of(Vector scores) {
  double sum = 0;
  for (double& s : scores) sum += s = std::exp(s);
  for (double& s : scores) s /= sum;
  return scores;
}

// sum_i weights_i values_i; zeros of that size when there are none.
inline Vector average(const Vector& weights, const std::vector<Vector>& values, size_t size) {
  Vector sum(size);
  for (size_t i = 0; i < weights.size(); ++i) {
    for (size_t d = 0; d < size; ++d) sum[d] += weights[i] * values[i][d];
  }
  return sum;
}

// The parameters of a model, by name.
struct Numbers {
  explicit Numbers(const Module& module) {
    for (const NamedParameter& p : named_parameters(module)) all[p.name] = p.tensor;
  }
  // Row i of a matrix, or all of a vector.
  [[nodiscard]] Vector row(const std::string& name, int64_t i = 0) const {
    const Tensor& x = all.at(name);
    const int64_t n = x.size(-1);
    return {x.data() + i * n, x.data() + (i + 1) * n};
  }
  // W x.
  [[nodiscard]] Vector times(const std::string& name, const Vector& x) const {
    Vector y;
    for (int64_t i = 0; i < all.at(name).size(0); ++i) y.push_back(dot(row(name, i), x));
    return y;
  }
  std::map<std::string, Tensor> all;
};

// Row `row` of a tensor's last axis.
inline Vector row_of(const Tensor& x, int64_t row) {
  const int64_t n = x.size(-1);
  return {x.data() + row * n, x.data() + (row + 1) * n};
}

inline bool close_vectors(const Vector& a, const Vector& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!(std::abs(a[i] - b[i]) <= tolerance * std::max(1.0, std::abs(b[i])))) return false;
  }
  return true;
}

}  // namespace heed::tests
