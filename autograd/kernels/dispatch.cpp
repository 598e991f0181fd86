// Which architecture's table the program uses. This file is compiled for the baseline.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "autograd/kernels/kernels.hpp"

namespace heed::kernels {

#ifdef __x86_64__
extern const Table<float> sse2_float, avx2_float, avx512_float;
extern const Table<double> sse2_double, avx2_double, avx512_double;
#else
extern const Table<float> neon64_float;
extern const Table<double> neon64_double;
#endif

namespace {

struct Candidate {
  const Table<float>* f;
  const Table<double>* d;
  bool runs_here;
};

#ifdef __x86_64__
constexpr int kCandidates = 3;
#else
constexpr int kCandidates = 1;
#endif

template <class T>
const Table<T>* pick(const Candidate& c) noexcept {
  if constexpr (std::is_same_v<T, float>) {
    return c.f;
  } else {
    return c.d;
  }
}

// The architectures of this build, best first: kCandidates of them.
const Candidate* candidates() noexcept {
#ifdef __x86_64__
  // __builtin_cpu_supports also asks whether the system saves the wide registers.
  static const Candidate list[kCandidates] = {
      {&avx512_float, &avx512_double,
       __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl")},
      {&avx2_float, &avx2_double, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
      {&sse2_float, &sse2_double, true},
  };
#else
  static const Candidate list[kCandidates] = {{&neon64_float, &neon64_double, true}};
#endif
  return list;
}

template <class T>
const Table<T>& choose() noexcept {
  const char* wanted = std::getenv("HEED_ARCH");
  if (wanted != nullptr && *wanted != '\0') {
    if (const Table<T>* t = table_of<T>(wanted)) return *t;
    std::fprintf(stderr, "HEED_ARCH=%s: this build and processor run", wanted);
    for (int i = 0; i < kCandidates; ++i) {
      if (candidates()[i].runs_here) std::fprintf(stderr, " %s", candidates()[i].f->arch);
    }
    std::fprintf(stderr, "\n");
    std::exit(1);
  }
  for (int i = 0; i < kCandidates; ++i) {
    if (candidates()[i].runs_here) return *pick<T>(candidates()[i]);
  }
  std::abort();  // the baseline always runs
}

}  // namespace

template <class T>
const Table<T>* table_of(const char* arch) noexcept {
  for (int i = 0; i < kCandidates; ++i) {
    const Candidate& c = candidates()[i];
    if (c.runs_here && std::strcmp(c.f->arch, arch) == 0) return pick<T>(c);
  }
  return nullptr;
}

template <class T>
const Table<T>& table() noexcept {
  static const Table<T>& chosen = choose<T>();
  return chosen;
}

template const Table<float>& table<float>() noexcept;
template const Table<double>& table<double>() noexcept;
template const Table<float>* table_of<float>(const char*) noexcept;
template const Table<double>* table_of<double>(const char*) noexcept;

}  // namespace heed::kernels
