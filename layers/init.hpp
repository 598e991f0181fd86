#pragma once

#include "autograd/random.hpp"
#include "autograd/tensor.hpp"

// How parameters begin. Each function makes a new parameter (its gradient is wanted). A weight is (O, I), as
// torch.nn lays it out: fan_in = I, fan_out = O. Which layer begins how is said where the layer is declared.

namespace heed::inline HEED_PRECISION {

Tensor parameter(Tensor values);  // marks it as one
Tensor constant_init(const Shape& shape, real value);
Tensor uniform_init(const Shape& shape, real bound, Rng& rng);  // U(-bound, bound)
Tensor normal_init(const Shape& shape, real stddev, Rng& rng);  // N(0, stddev^2)

// torch.nn.Linear's default for weight and bias alike: U(-b, b), b = 1 / sqrt(fan_in). Throws if fan_in < 1.
Tensor fan_in_uniform(const Shape& shape, int64_t fan_in, Rng& rng);

// Glorot & Bengio 2010, eq. 16: U(-b, b), b = gain sqrt(6 / (fan_in + fan_out)); and of the same variance,
// eq. 12, N(0, 2 gain^2 / (fan_in + fan_out)). Throw unless the shape has 2 axes.
Tensor xavier_uniform(const Shape& shape, Rng& rng, real gain = 1);
Tensor xavier_normal(const Shape& shape, Rng& rng, real gain = 1);

// He et al. 2015, eq. 10, for relu: U(-b, b), b = sqrt(6 / fan_in); and N(0, 2 / fan_in).
Tensor kaiming_uniform(const Shape& shape, Rng& rng);
Tensor kaiming_normal(const Shape& shape, Rng& rng);

// Orthonormal rows (or columns, where there are more rows than columns) times gain (Saxe et al. 2013): normal
// numbers made orthonormal by Gram and Schmidt's method, twice for the rounding.
Tensor orthogonal(const Shape& shape, Rng& rng, real gain = 1);

}  // namespace heed::inline HEED_PRECISION
