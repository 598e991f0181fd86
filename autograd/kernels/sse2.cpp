// The baseline of every x86-64 processor.
#include "autograd/kernels/fill.hpp"

namespace heed::kernels {

template <>
constinit const Table<Unit> Tables<Unit>::sse2 = fill<xsimd::batch<Unit, xsimd::sse2>>("sse2");

}  // namespace heed::kernels
