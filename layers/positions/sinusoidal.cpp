#include "layers/positions/sinusoidal.hpp"

#include <cmath>

#include "autograd/error.hpp"
#include "autograd/pool.hpp"

namespace heed::inline HEED_PRECISION {

Tensor sinusoidal_positions(int64_t count, int64_t size, int64_t first) {
  if (count < 0 || size < 1 || first < 0) {
    fail("sinusoidal_positions: count {}, size {}, first {}: wants at least 0, 1, 0", count, size, first);
  }
  PoolVector<double> rates;  // 10000^(-2i/D)
  for (int64_t i = 0; 2 * i < size; ++i) {
    rates.push_back(std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(size)));
  }
  Tensor positions = Tensor::empty({count, size});
  real* out = positions.mutable_data();
  for (int64_t t = 0; t < count; ++t) {
    for (int64_t d = 0; d < size; ++d) {
      const double angle = static_cast<double>(first + t) * rates[static_cast<size_t>(d / 2)];
      out[t * size + d] = static_cast<real>(d % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
  }
  return positions;
}

}  // namespace heed::inline HEED_PRECISION
