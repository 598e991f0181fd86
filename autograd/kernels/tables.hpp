#pragma once

#include "autograd/kernels/kernels.hpp"

namespace heed::kernels {

// The precision that this unit is compiled for, float or double: every unit is compiled for both, so that a
// program in float has to build and carry no kernel in double.
using Unit = HEED_KERNELS_OF;

// One table per architecture, each defined in the file of its name.
template <class T>
struct Tables {
  static const Table<T> sse2, avx2, avx512, neon64;
};
template <>
const Table<Unit> Tables<Unit>::sse2;
template <>
const Table<Unit> Tables<Unit>::avx2;
template <>
const Table<Unit> Tables<Unit>::avx512;
template <>
const Table<Unit> Tables<Unit>::neon64;

}  // namespace heed::kernels
