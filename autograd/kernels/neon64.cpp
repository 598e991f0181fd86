// The baseline of every aarch64 processor.
#include "autograd/kernels/fill.hpp"

namespace heed::kernels {

extern const Table<float> neon64_float;
extern const Table<double> neon64_double;

constexpr Table<float> neon64_float = fill<xsimd::batch<float, xsimd::neon64>>("neon64");
constexpr Table<double> neon64_double = fill<xsimd::batch<double, xsimd::neon64>>("neon64");

}  // namespace heed::kernels
