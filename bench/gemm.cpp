// How close matrix products come to what one core can multiply and add. Every size is measured in turn with a
// loop of multiply-adds that touches registers only, so that both see the same clock; the fastest run counts.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/parallel.hpp"

#ifdef __x86_64__
#include <immintrin.h>
#else
#include <arm_neon.h>
#endif

namespace {

using heed::kernels::Table;

// This thread's own time: on a shared machine, others' turns do not count.
double seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// ---- the peak: 12 independent chains, as many as a tile has

constexpr int kSteps = 20'000, kChains = 12;

#ifdef __x86_64__
[[gnu::target("avx2,fma")]] double peak_flops_avx2() {
  __m256 x[kChains];
  for (int i = 0; i < kChains; ++i) x[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.999F), b = _mm256_set1_ps(0.001F);
  const double start = seconds();
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) x[i] = _mm256_fmadd_ps(x[i], a, b);
  }
  const double time = seconds() - start;
  for (int i = 1; i < kChains; ++i) x[0] = _mm256_add_ps(x[0], x[i]);
  volatile float used = _mm256_cvtss_f32(x[0]);
  (void)used;
  return 2.0 * 8 * kChains * kSteps / time;
}

[[gnu::target("avx512f")]] double peak_flops_avx512() {
  __m512 x[kChains];
  for (int i = 0; i < kChains; ++i) x[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(0.001F);
  const double start = seconds();
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) x[i] = _mm512_fmadd_ps(x[i], a, b);
  }
  const double time = seconds() - start;
  for (int i = 1; i < kChains; ++i) x[0] = _mm512_add_ps(x[0], x[i]);
  volatile float used = _mm512_cvtss_f32(x[0]);
  (void)used;
  return 2.0 * 16 * kChains * kSteps / time;
}

double peak_flops_baseline() {
  __m128 x[kChains];
  for (int i = 0; i < kChains; ++i) x[i] = _mm_set1_ps(static_cast<float>(i));
  const __m128 a = _mm_set1_ps(0.999F), b = _mm_set1_ps(0.001F);
  const double start = seconds();
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) x[i] = _mm_add_ps(_mm_mul_ps(x[i], a), b);
  }
  const double time = seconds() - start;
  for (int i = 1; i < kChains; ++i) x[0] = _mm_add_ps(x[0], x[i]);
  volatile float used = _mm_cvtss_f32(x[0]);
  (void)used;
  return 2.0 * 4 * kChains * kSteps / time;
}

double peak_flops() {
  const std::string arch = heed::kernels::table<float>().arch;
  return arch == "sse2" ? peak_flops_baseline() : arch == "avx2" ? peak_flops_avx2() : peak_flops_avx512();
}
#else
double peak_flops() {
  float32x4_t x[kChains];
  for (int i = 0; i < kChains; ++i) x[i] = vdupq_n_f32(static_cast<float>(i));
  const float32x4_t a = vdupq_n_f32(0.999F), b = vdupq_n_f32(0.001F);
  const double start = seconds();
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) x[i] = vfmaq_f32(b, x[i], a);
  }
  const double time = seconds() - start;
  for (int i = 1; i < kChains; ++i) x[0] = vaddq_f32(x[0], x[i]);
  volatile float used = vgetq_lane_f32(x[0], 0);
  (void)used;
  return 2.0 * 4 * kChains * kSteps / time;
}
#endif

// ---- products

struct Size {
  bool trans_a, trans_b;
  int64_t m, n, k;
};

template <class T>
double product_flops(const Size& s, std::vector<T>& a, std::vector<T>& b, std::vector<T>& c) {
  const double work = 2.0 * static_cast<double>(s.m * s.n * s.k);
  const int repeats = std::max(1, static_cast<int>(4e7 / work));
  const double start = seconds();
  for (int i = 0; i < repeats; ++i) {
    heed::kernels::table<T>().gemm(s.trans_a, s.trans_b, s.m, s.n, s.k, T(1), a.data(), s.trans_a ? s.m : s.k,
                                   b.data(), s.trans_b ? s.k : s.n, false, c.data(), s.n);
  }
  return work * repeats / (seconds() - start);
}

template <class T>
void measure(const Size& s, const char* type, double lanes_per_float) {
  std::vector<T> a(static_cast<std::size_t>(s.m * s.k), T(0.5)),
      b(static_cast<std::size_t>(s.k * s.n), T(0.25));
  std::vector<T> c(static_cast<std::size_t>(s.m * s.n));
  constexpr int kRounds = 15;
  std::vector<double> peaks, speeds;
  for (int round = 0; round < kRounds; ++round) {
    peaks.push_back(peak_flops() * lanes_per_float);
    speeds.push_back(product_flops<T>(s, a, b, c));
  }
  std::sort(peaks.begin(), peaks.end());
  std::sort(speeds.begin(), speeds.end());
  fmt::print("{:6} {}{} {:5} x {:5} x {:5}  {:7.1f} GFLOP/s  {:5.1f}% of peak   median {:7.1f}, {:5.1f}%\n",
             type, s.trans_a ? "T" : "N", s.trans_b ? "T" : "N", s.m, s.n, s.k, speeds.back() / 1e9,
             100 * speeds.back() / peaks.back(), speeds[kRounds / 2] / 1e9,
             100 * speeds[kRounds / 2] / peaks[kRounds / 2]);
}

}  // namespace

int main() {
  heed::kernels::set_threads(1);
  fmt::print("architecture {}, one thread; (trans a, trans b) m x n x k\n",
             heed::kernels::table<float>().arch);
  for (const int64_t n : {32, 64, 128, 256, 512, 1024}) measure<float>({false, false, n, n, n}, "float", 1);
  for (const int64_t n : {64, 256, 512}) measure<float>({false, true, n, n, n}, "float", 1);
  for (const int64_t n : {64, 256, 512}) measure<float>({true, false, n, n, n}, "float", 1);
  for (const bool trans_a : {false, true}) {  // one step of a recurrent network
    for (const bool trans_b : {false, true}) measure<float>({trans_a, trans_b, 32, 192, 96}, "float", 1);
  }
  measure<float>({true, false, 192, 96, 32}, "float", 1);  // its weight gradient
  measure<float>({false, true, 64, 192, 64}, "float", 1);
  measure<float>({false, false, 32, 1024, 256}, "float", 1);
  measure<float>({false, true, 32, 1024, 256}, "float", 1);
  for (const int64_t m : {1, 2, 4, 8}) {
    measure<float>({false, false, m, 192, 96}, "float", 1);
    measure<float>({false, true, m, 192, 96}, "float", 1);
  }
  for (const int64_t n : {64, 256, 512}) measure<double>({false, false, n, n, n}, "double", 0.5);
}
