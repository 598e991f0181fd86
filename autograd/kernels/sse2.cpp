// The baseline of every x86-64 processor.
#include "autograd/kernels/fill.hpp"

namespace heed::kernels {

extern const Table<float> sse2_float;
extern const Table<double> sse2_double;

constexpr Table<float> sse2_float = fill<xsimd::batch<float, xsimd::sse2>>("sse2");
constexpr Table<double> sse2_double = fill<xsimd::batch<double, xsimd::sse2>>("sse2");

}  // namespace heed::kernels
