// AVX-512 (F, CD, DQ, BW, VL): x86-64 servers since Skylake (2017) and Zen 4 (2022).
#include "autograd/kernels/fill.hpp"

namespace heed::kernels {

extern const Table<float> avx512_float;
extern const Table<double> avx512_double;

constexpr Table<float> avx512_float = fill<xsimd::batch<float, xsimd::avx512bw>>("avx512");
constexpr Table<double> avx512_double = fill<xsimd::batch<double, xsimd::avx512bw>>("avx512");

}  // namespace heed::kernels
