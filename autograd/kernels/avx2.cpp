// AVX2 with fused multiply-add: x86-64 since Haswell (2013) and Excavator (2015).
#include "autograd/kernels/fill.hpp"

namespace heed::kernels {

template <>
constinit const Table<Unit> Tables<Unit>::avx2 = fill<xsimd::batch<Unit, xsimd::fma3<xsimd::avx2>>>("avx2");

}  // namespace heed::kernels
