// AVX-512 (F, CD, DQ, BW, VL): x86-64 servers since Skylake (2017) and Zen 4 (2022).
#include "autograd/kernels/fill.hpp"

namespace heed::kernels {

template <>
constinit const Table<Unit> Tables<Unit>::avx512 = fill<xsimd::batch<Unit, xsimd::avx512bw>>("avx512");

}  // namespace heed::kernels
