#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

// How a program, heed's or a peer's, lets itself be measured by bench/driver. One process per engine, so that
// each has its own threads, allocator and BLAS; a line of input per sample, so that they take turns:
//
//   PROGRAM                  prints the names of its workloads, a line each
//   PROGRAM NAME THREADS     prepares one and prints  ready {"engine": ..., "flop": ..., ...}
//   <- go                    runs one sample, prints the milliseconds of one repetition
//   <- end of input          ends
//
// Knows nothing of heed, so that a peer's program contains nothing of it.

namespace bench {

struct Workload {
  std::function<void()> run;  // one repetition
  double flop = 0;            // of its products (a multiplication and an addition are two)
  double bytes = 0;           // that it has to read and write
  double check = 0;           // a number that all engines have to agree on to 1e-3
  double parameters = 0;      // how many numbers are trained
  double ops = 0;             // primitive ops, where they are what counts
};

struct Named {
  std::string name;
  std::function<Workload()> make;
};

struct Engine {
  std::string name;  // and version
  std::function<void(int threads)> set_threads;
  std::vector<Named> workloads;
};

namespace detail {

using Clock = std::chrono::steady_clock;
inline constexpr double least_ms = 20;  // of a sample: far above the clock's grain and a scheduler's slice

inline double milliseconds(const std::function<void()>& run, long repetitions) {
  const auto begin = Clock::now();
  for (long i = 0; i < repetitions; ++i) run();
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// As many repetitions as fill a sample; what is measured here warms up caches, pools and threads.
inline long calibrated(const std::function<void()>& run) {
  run();
  long n = 1;
  for (;;) {
    const double time = std::min(milliseconds(run, n), milliseconds(run, n));  // one of them undisturbed
    if (time >= least_ms) return n;
    const double wanted = 1.2 * double(n) * least_ms / (time > 1e-3 ? time : 1e-3);
    n = wanted > 10 * double(n) ? 10 * n : static_cast<long>(wanted) + 1;
  }
}

inline int serve(const Engine& engine, const Named& named, int threads) {
  engine.set_threads(threads);
  const Workload work = named.make();
  const long repetitions = calibrated(work.run);
  std::printf(
      "ready {\"engine\": \"%s\", \"flop\": %.17g, \"bytes\": %.17g, \"check\": %.17g, "
      "\"parameters\": %.17g, \"ops\": %.17g, \"repetitions\": %ld}\n",
      engine.name.c_str(), work.flop, work.bytes, work.check, work.parameters, work.ops, repetitions);
  std::fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line != "go") continue;
    if (repetitions > 1) work.run();  // another program had the caches meanwhile
    std::printf("%.9g\n", milliseconds(work.run, repetitions) / double(repetitions));
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace detail

// What main() returns.
inline int serve(int argc, char** argv, const Engine& engine) {
  if (argc == 1) {
    for (const Named& named : engine.workloads) std::printf("%s\n", named.name.c_str());
    return 0;
  }
  const int threads = argc == 3 ? std::atoi(argv[2]) : 0;
  if (threads < 1) {
    std::fprintf(stderr, "usage: %s [NAME THREADS]\n", argv[0]);
    return 1;
  }
  for (const Named& named : engine.workloads)
    if (named.name == argv[1]) return detail::serve(engine, named, threads);
  std::fprintf(stderr, "%s: no workload is named '%s'\n", argv[0], argv[1]);
  return 1;
}

}  // namespace bench
