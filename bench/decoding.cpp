// What one more token costs a language model of self-attention that has so many behind it: with what it keeps
// of them (a Memory for each block), and computed anew from the first. A step with a cache grows with the
// length, by the attention alone; without it grows at least as fast as the whole.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "autograd/graph.hpp"
#include "layers/models/transformer_lm.hpp"

using namespace heed;

namespace {

// The least of a few runs, in microseconds.
template <class F>
double least(int runs, F run) {
  using Clock = std::chrono::steady_clock;
  double best = 1e300;
  for (int i = 0; i < runs; ++i) {
    const auto begin = Clock::now();
    run();
    best = std::min(best, std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  return best;
}

}  // namespace

int main() {
  const NoGrad no_grad;
  Rng rng(1);
  const TransformerLM model({.vocabulary = 64, .positions = "rotary"}, rng);
  fmt::print("4 blocks of 128 features; one token after so many, microseconds\n{:>8} {:>12} {:>12} {:>8}\n",
             "tokens", "with cache", "from anew", "ratio");
  for (const int64_t length : {64, 128, 256, 512, 1024, 2048}) {
    std::vector<int32_t> tokens(static_cast<size_t>(length));
    for (int32_t& token : tokens) token = static_cast<int32_t>(rng.integer(64));
    const Ids text({1, length}, tokens), next({1}, {7});
    DecoderState state = model.start();
    model.extend(state, text);
    const double cached = least(20, [&] {
      DecoderState copy = state;  // handles
      model.step(copy, next);
    });
    const double anew = least(3, [&] { model(text, {}); });
    fmt::print("{:>8} {:>12.0f} {:>12.0f} {:>8.1f}\n", length, cached, anew, anew / cached);
  }
}
