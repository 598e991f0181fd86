#include "bench/support/bounds.hpp"

#include <cstdint>

#include "autograd/kernels/parallel.hpp"

#ifdef __x86_64__
#include <immintrin.h>
#else
#include <arm_neon.h>
#endif

namespace bench {

namespace {

// 12 independent chains: more than the latency of a multiply-add times the units that run them.
constexpr int steps = 20'000, chains = 12;

double operations(int lanes) { return 2.0 * lanes * chains * steps; }

// So that the compiler cannot drop the loops.
volatile float used;

#ifdef __x86_64__
[[gnu::target("avx512f")]] double multiply_add_avx512() {
  __m512 x[chains];
  for (int i = 0; i < chains; ++i) x[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(0.001F);
  for (int step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) x[i] = _mm512_fmadd_ps(x[i], a, b);
  }
  for (int i = 1; i < chains; ++i) x[0] = _mm512_add_ps(x[0], x[i]);
  used = _mm512_cvtss_f32(x[0]);
  return operations(16);
}

[[gnu::target("avx2,fma")]] double multiply_add_avx2() {
  __m256 x[chains];
  for (int i = 0; i < chains; ++i) x[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.999F), b = _mm256_set1_ps(0.001F);
  for (int step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) x[i] = _mm256_fmadd_ps(x[i], a, b);
  }
  for (int i = 1; i < chains; ++i) x[0] = _mm256_add_ps(x[0], x[i]);
  used = _mm256_cvtss_f32(x[0]);
  return operations(8);
}

double multiply_add_baseline() {
  __m128 x[chains];
  for (int i = 0; i < chains; ++i) x[i] = _mm_set1_ps(static_cast<float>(i));
  const __m128 a = _mm_set1_ps(0.999F), b = _mm_set1_ps(0.001F);
  for (int step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) x[i] = _mm_add_ps(_mm_mul_ps(x[i], a), b);
  }
  for (int i = 1; i < chains; ++i) x[0] = _mm_add_ps(x[0], x[i]);
  used = _mm_cvtss_f32(x[0]);
  return operations(4);
}
#else
double multiply_add_baseline() {
  float32x4_t x[chains];
  for (int i = 0; i < chains; ++i) x[i] = vdupq_n_f32(static_cast<float>(i));
  const float32x4_t a = vdupq_n_f32(0.999F), b = vdupq_n_f32(0.001F);
  for (int step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) x[i] = vfmaq_f32(b, x[i], a);
  }
  for (int i = 1; i < chains; ++i) x[0] = vaddq_f32(x[0], x[i]);
  used = vgetq_lane_f32(x[0], 0);
  return operations(4);
}
#endif

}  // namespace

double multiply_add([[maybe_unused]] const std::string& architecture) {
#ifdef __x86_64__
  if (architecture == "avx512") return multiply_add_avx512();
  if (architecture == "avx2") return multiply_add_avx2();
#endif
  return multiply_add_baseline();
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
