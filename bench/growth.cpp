// How time and peak memory grow with the size of the work, forward and backward: a line "NAME SIZE MS BYTES"
// for each size, twice the one before. driver/growth.py makes the table and the picture.
//
//   growth [LONGEST]    the most tokens of attention; 16,384

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "bench/support/numbers.hpp"
#include "layers/recurrent.hpp"

using namespace heed;

namespace {

Tensor leaf(const Shape& shape, uint64_t stream) {
  Tensor x = Tensor::empty(shape);
  bench::fill(x.mutable_data(), x.size(), stream, 1);
  return x.requires_grad();
}

// Prints the least time of a few runs of `f`, which makes a scalar to go back from, and the most memory that
// was in use at once. Returns that memory.
template <class F>
int64_t measure(const char* name, int64_t size, F f) {
  using Clock = std::chrono::steady_clock;
  release_pool();
  reset_peak();
  double least = 1e300, total = 0;
  for (int run = 0; run < 50 && (run < 2 || total < 500); ++run) {
    const auto begin = Clock::now();
    backward(f());
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    least = std::min(least, ms);
    total += ms;
    if (total > 10'000) break;  // the first filled the pool, which is nothing beside this
  }
  const int64_t bytes = memory_stats().peak_bytes;
  fmt::print("{} {} {:.6g} {}\n", name, size, least, bytes);
  std::fflush(stdout);
  return bytes;
}

constexpr int64_t heads = 8, width = 64;
const real scaling = 1 / std::sqrt(real(width));

void tiled_attention(int64_t longest) {
  for (int64_t length = 128; length <= longest; length *= 2) {
    const Shape shape{1, length, heads * width};
    const Tensor q = leaf(shape, 1), k = leaf(shape, 2), v = leaf(shape, 3);
    measure("tiled", length, [&] { return sum(dot_attention(q, k, v, heads, scaling)); });
  }
}

// The same by ops that keep all T x T scores and weights; up to 4 GB.
void materialised_attention(int64_t longest) {
  constexpr int64_t most = int64_t{4} << 30;
  int64_t bytes = 0;
  for (int64_t length = 128; length <= longest && 4 * bytes < most; length *= 2) {
    const Shape shape{heads, length, width};
    const Tensor q = leaf(shape, 1), k = leaf(shape, 2), v = leaf(shape, 3);
    bytes = measure("materialised", length,
                    [&] { return sum(matmul(softmax(scale(matmul(q, k, {.b = true}), scaling)), v)); });
  }
}

// 16 queries of 64 features in each of 32 rows.
void additive_attention() {
  const int64_t batch = 32, queries = 16, size = 64;
  const Tensor q = leaf({batch, queries, size}, 1), v = leaf({size}, 4);
  for (int64_t slots = 16; slots <= 2048; slots *= 2) {
    const Tensor keys = leaf({batch, slots, size}, 2), values = leaf({batch, slots, size}, 3);
    measure("additive", slots, [&] { return sum(matmul(softmax(additive_scores(q, keys, v)), values)); });
  }
}

// 16 steps of 32 rows.
void recurrent_layer() {
  const int64_t batch = 32, steps = 16;
  for (int64_t hidden = 32; hidden <= 1024; hidden *= 2) {
    Rng rng(1);
    const GRU gru(hidden, hidden, {}, rng);
    const Tensor x = leaf({batch, steps, hidden}, 1);
    measure("gru", hidden, [&] { return sum(gru(x).output); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t longest = argc > 1 ? std::atoll(argv[1]) : 16'384;
  tiled_attention(longest);
  materialised_attention(longest);
  additive_attention();
  recurrent_layer();
}
