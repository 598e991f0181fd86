// AVX2 with fused multiply-add: x86-64 since Haswell (2013) and Excavator (2015).
#include "autograd/kernels/fill.hpp"

namespace heed::kernels {

extern const Table<float> avx2_float;
extern const Table<double> avx2_double;

constexpr Table<float> avx2_float = fill<xsimd::batch<float, xsimd::fma3<xsimd::avx2>>>("avx2");
constexpr Table<double> avx2_double = fill<xsimd::batch<double, xsimd::fma3<xsimd::avx2>>>("avx2");

}  // namespace heed::kernels
