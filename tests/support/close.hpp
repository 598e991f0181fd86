#pragma once

#include <cmath>

namespace heed::tests {

// |a - b| <= atol + rtol |b|. Equal infinities are close; a NaN is close to nothing.
inline bool close(double a, double b, double rtol, double atol) {
  return a == b || std::abs(a - b) <= atol + rtol * std::abs(b);
}

}  // namespace heed::tests
