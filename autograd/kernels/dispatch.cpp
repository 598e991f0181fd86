// Which architecture's table the program uses. This file is compiled for the baseline.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "autograd/kernels/tables.hpp"

namespace heed::kernels {

namespace {

struct Candidate {
  const Table<Unit>* table;
  bool runs_here;
};

// The architectures of this build, best first.
std::span<const Candidate> candidates() noexcept {
  using Here = Tables<Unit>;
#ifdef __x86_64__
  // __builtin_cpu_supports also asks whether the system saves the wide registers.
  static const Candidate list[] = {
      {&Here::avx512, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl")},
      {&Here::avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
      {&Here::sse2, true},
  };
#else
  static const Candidate list[] = {{&Here::neon64, true}};
#endif
  return list;
}

const Table<Unit>& choose() noexcept {
  const char* wanted = std::getenv("HEED_ARCH");
  if (wanted != nullptr && *wanted != '\0') {
    if (const Table<Unit>* t = table_of<Unit>(wanted)) return *t;
    std::fprintf(stderr, "HEED_ARCH=%s: this build and processor run", wanted);
    for (const Candidate& c : candidates()) {
      if (c.runs_here) std::fprintf(stderr, " %s", c.table->arch);
    }
    std::fprintf(stderr, "\n");
    std::exit(1);
  }
  for (const Candidate& c : candidates()) {
    if (c.runs_here) return *c.table;
  }
  std::abort();  // the baseline always runs
}

}  // namespace

template <>
const Table<Unit>* table_of<Unit>(const char* arch) noexcept {
  for (const Candidate& c : candidates()) {
    if (c.runs_here && std::strcmp(c.table->arch, arch) == 0) return c.table;
  }
  return nullptr;
}

template <>
const Table<Unit>& table<Unit>() noexcept {
  static const Table<Unit>& chosen = choose();
  return chosen;
}

}  // namespace heed::kernels
