#include "bench/support/bounds.hpp"

#include <cstdint>

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/parallel.hpp"

namespace bench {

double multiply_add(const std::string& architecture) {
  constexpr int64_t n = int64_t{12} * 16 * 20'000;
  const auto& kernels = *heed::kernels::table_of<float>(architecture.c_str());
  volatile const float used = kernels.multiply_adds(n, 0.999F, 0.001F);  // so that nobody drops the loop
  (void)used;
  return 2.0 * n;
}

Triad::Triad() : a_(std::size_t{1} << 26), b_(a_.size(), 1.0F), c_(a_.size(), 2.0F) {}

void Triad::run(int threads) {
  struct Context {
    Triad& self;
    int64_t pieces;
  } context{*this, threads};
  heed::kernels::run_parallel(
      threads,
      [](void* p, int64_t piece) {
        const auto& [self, pieces] = *static_cast<Context*>(p);
        const auto n = static_cast<int64_t>(self.a_.size());
        float* a = self.a_.data();
        const float *b = self.b_.data(), *c = self.c_.data();
        for (int64_t i = n * piece / pieces; i < n * (piece + 1) / pieces; ++i) a[i] = b[i] + 3.0F * c[i];
      },
      &context);
}

}  // namespace bench
