#pragma once

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/parallel.hpp"
#include "autograd/profile.hpp"
#include "autograd/real.hpp"

namespace heed::inline HEED_PRECISION {

// kernels::table, but while a profile is taken its gemm counts.
const kernels::Table<real>& counted_kernels() noexcept;

// The kernels for this library's precision on this machine: simd().tanh(x, y, n).
inline const kernels::Table<real>& simd() noexcept {
  static const kernels::Table<real>& chosen = counted_kernels();
  return chosen;
}

const Precision& precision() noexcept;  // what a profile is told

using kernels::parallel_for;

// parallel_for's grain for items that take about so many nanoseconds on one core: 20 us of work, ten times
// what it costs to share with a thread that is awake. Only the order of magnitude matters.
inline int64_t grain(double nanoseconds) { return 1 + static_cast<int64_t>(20'000 / (nanoseconds + 0.01)); }

}  // namespace heed::inline HEED_PRECISION
