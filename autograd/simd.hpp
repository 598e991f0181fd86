#pragma once

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/parallel.hpp"
#include "autograd/real.hpp"

namespace heed::inline HEED_PRECISION {

// The kernels for this library's precision on this machine: simd().tanh(x, y, n).
inline const kernels::Table<real>& simd() noexcept {
  static const kernels::Table<real>& chosen = kernels::table<real>();
  return chosen;
}

using kernels::parallel_for;

}  // namespace heed::inline HEED_PRECISION
