#pragma once

#include <cstdint>

// The one door to threads (OpenMP). Everything else in heed is written as if there were one.

namespace heed::kernels {

int threads() noexcept;  // how many parallel_for may use; HEED_NUM_THREADS or set_threads, else the cores
void set_threads(int n) noexcept;  // at least 1
void run_parallel(int64_t chunks, void (*body)(void* context, int64_t chunk), void* context) noexcept;

// Calls f(begin, end) on pieces of [0, n) that hold at least `grain` items, on several threads when there is
// more than one piece. `grain` is the number of items whose work outweighs waking a thread (about 20 us):
// smaller jobs stay on the calling thread. Pieces never change a result: each item is computed the same way
// wherever the cuts fall.
template <class F>
void parallel_for(int64_t n, int64_t grain, F&& f) {
  if (n < 2 * grain) {  // also n = 0, where f does nothing
    f(int64_t{0}, n);
    return;
  }
  if (grain < 1) grain = 1;
  int64_t pieces = n / grain;
  if (pieces > threads()) pieces = threads();
  if (pieces <= 1) {
    f(int64_t{0}, n);
    return;
  }
  struct Context {
    F& f;
    int64_t n, pieces;
  } context{f, n, pieces};
  run_parallel(
      pieces,
      [](void* p, int64_t piece) {
        auto& c = *static_cast<Context*>(p);
        c.f(c.n * piece / c.pieces, c.n * (piece + 1) / c.pieces);
      },
      &context);
}

}  // namespace heed::kernels
