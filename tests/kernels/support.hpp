#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "autograd/kernels/kernels.hpp"
#include "tests/support/close.hpp"

// What the kernel tests share: every table that this machine runs, sizes around a register's, random numbers,
// and comparison with references in long double.

namespace heed::kernels {

using Exact = long double;

template <class T>
std::vector<const Table<T>*> tables() {
  std::vector<const Table<T>*> found;
  for (const char* arch : {"sse2", "avx2", "avx512", "neon64"}) {
    if (const Table<T>* t = table_of<T>(arch)) found.push_back(t);
  }
  return found;
}

// 1, W - 1, W, W + 1, 3 W + 5 for registers of W = 2 to 16 lanes, and beyond four registers.
inline const std::vector<int64_t>& sizes() {
  static const std::vector<int64_t> list = {1, 2, 3, 4, 5, 7, 8, 9, 11, 15, 16, 17, 29, 31, 53, 64, 131};
  return list;
}

template <class T>
std::vector<T> random(int64_t n, uint64_t seed, double lo = -2, double hi = 2) {
  std::mt19937_64 bits(seed);
  std::vector<T> x(static_cast<std::size_t>(n));
  for (T& v : x) v = static_cast<T>(lo + (hi - lo) * static_cast<double>(bits() >> 11) * 0x1p-53);
  return x;
}

template <class T>
constexpr double eps() {
  return std::numeric_limits<T>::epsilon();
}

// The largest |got - want| / (scale + |want|), in units of T's epsilon; infinite if a NaN stands alone.
template <class T>
double distance(const std::vector<T>& got, const std::vector<Exact>& want, double scale) {
  double worst = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const Exact g = got[i], w = want[i];
    if (g == w || (std::isnan(g) && std::isnan(w))) continue;
    const double d = static_cast<double>(std::abs(g - w) / (scale + std::abs(w))) / eps<T>();
    worst = d >= worst ? d : (d < worst ? worst : std::numeric_limits<double>::infinity());
  }
  return worst;
}

}  // namespace heed::kernels
