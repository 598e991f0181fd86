#include "layers/init.hpp"

#include <cmath>
#include <vector>

#include "autograd/error.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

void check_matrix(const char* name, const Shape& shape) {
  if (shape.rank() != 2 || shape.size() == 0) fail("{}: wants a matrix, not {}", name, shape.text());
}

template <class Draw>
Tensor fill(const Shape& shape, Draw draw) {
  Tensor x = Tensor::empty(shape);
  real* values = x.mutable_data();
  for (int64_t i = 0; i < x.size(); ++i) values[i] = static_cast<real>(draw());
  return parameter(std::move(x));
}

real xavier_deviation(const char* name, const Shape& shape) {
  check_matrix(name, shape);
  return std::sqrt(real(2) / static_cast<real>(shape[0] + shape[1]));
}

real kaiming_deviation(const char* name, const Shape& shape) {
  check_matrix(name, shape);
  return std::sqrt(real(2) / static_cast<real>(shape[1]));
}

// U(-b, b) has the deviation b / sqrt(3).
const real uniform_bound = std::sqrt(real(3));

// Takes the part along the first `count` of the vectors (all of length n, end to end) out of vector `count`.
void remove_projections(std::vector<double>& vectors, int64_t count, int64_t n) {
  double* x = vectors.data() + count * n;
  for (int64_t k = 0; k < count; ++k) {
    const double* y = vectors.data() + k * n;
    double dot = 0;
    for (int64_t i = 0; i < n; ++i) dot += x[i] * y[i];
    for (int64_t i = 0; i < n; ++i) x[i] -= dot * y[i];
  }
}

}  // namespace

Tensor parameter(Tensor values) {
  values.requires_grad();
  return values;
}

Tensor constant_init(const Shape& shape, real value) { return parameter(Tensor::full(shape, value)); }

Tensor uniform_init(const Shape& shape, real bound, Rng& rng) {
  return fill(shape, [&] { return rng.uniform(-bound, bound); });
}

Tensor normal_init(const Shape& shape, real stddev, Rng& rng) {
  return fill(shape, [&] { return stddev * rng.normal(); });
}

Tensor fan_in_uniform(const Shape& shape, int64_t fan_in, Rng& rng) {
  if (fan_in < 1) fail("fan_in_uniform: fan_in {} is below 1", fan_in);
  return uniform_init(shape, real(1) / std::sqrt(static_cast<real>(fan_in)), rng);
}

Tensor xavier_uniform(const Shape& shape, Rng& rng, real gain) {
  return uniform_init(shape, gain * uniform_bound * xavier_deviation("xavier_uniform", shape), rng);
}

Tensor xavier_normal(const Shape& shape, Rng& rng, real gain) {
  return normal_init(shape, gain * xavier_deviation("xavier_normal", shape), rng);
}

Tensor kaiming_uniform(const Shape& shape, Rng& rng) {
  return uniform_init(shape, uniform_bound * kaiming_deviation("kaiming_uniform", shape), rng);
}

Tensor kaiming_normal(const Shape& shape, Rng& rng) {
  return normal_init(shape, kaiming_deviation("kaiming_normal", shape), rng);
}

Tensor orthogonal(const Shape& shape, Rng& rng, real gain) {
  check_matrix("orthogonal", shape);
  const bool wide = shape[0] <= shape[1];
  const int64_t count = wide ? shape[0] : shape[1];
  const int64_t n = wide ? shape[1] : shape[0];
  std::vector<double> vectors(static_cast<size_t>(count * n));
  for (double& x : vectors) x = rng.normal();
  for (int64_t k = 0; k < count; ++k) {
    remove_projections(vectors, k, n);
    remove_projections(vectors, k, n);
    double* x = vectors.data() + k * n;
    double square = 0;
    for (int64_t i = 0; i < n; ++i) square += x[i] * x[i];
    for (int64_t i = 0; i < n; ++i) x[i] /= std::sqrt(square);
  }
  Tensor weight = Tensor::empty(shape);
  real* out = weight.mutable_data();
  for (int64_t r = 0; r < shape[0]; ++r) {
    for (int64_t c = 0; c < shape[1]; ++c) {
      const int64_t at = wide ? r * n + c : c * n + r;
      out[r * shape[1] + c] = gain * static_cast<real>(vectors[static_cast<size_t>(at)]);
    }
  }
  return parameter(std::move(weight));
}

}  // namespace heed::inline HEED_PRECISION
