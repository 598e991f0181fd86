// The baseline of every aarch64 processor.
#include "autograd/kernels/fill.hpp"

namespace heed::kernels {

template <>
constinit const Table<Unit> Tables<Unit>::neon64 = fill<xsimd::batch<Unit, xsimd::neon64>>("neon64");

}  // namespace heed::kernels
