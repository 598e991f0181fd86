#include "autograd/random.hpp"

#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "autograd/error.hpp"
#include "autograd/kernels/philox.hpp"

namespace heed {

namespace {

// The four numbers of one block.
std::array<uint32_t, 4> numbers(uint64_t block, uint64_t key) {
  uint64_t c[4] = {block, block >> 32, 0, 0};
  kernels::philox(c, key, [](uint64_t word, uint64_t m) { return static_cast<uint32_t>(word) * m; });
  return {static_cast<uint32_t>(c[0]), static_cast<uint32_t>(c[1]), static_cast<uint32_t>(c[2]),
          static_cast<uint32_t>(c[3])};
}

}  // namespace

uint32_t Rng::bits() {
  const uint64_t n = state_.counter++;
  return numbers(n / 4, state_.key)[n % 4];
}

Rng::State Rng::leave(int64_t n) {
  const State from = state_;
  state_.counter += static_cast<uint64_t>(n);
  return from;
}

double Rng::uniform() {
  const uint64_t high = bits() >> 5;  // 27 bits
  const uint64_t low = bits() >> 6;   // 26 bits
  return static_cast<double>(high << 26 | low) * 0x1p-53;
}

int64_t Rng::integer(int64_t n) {
  if (n <= 0) fail("rng: an integer below {} does not exist", n);
  // Draws of 64 bits above the largest multiple of n would favour small results: draw again.
  const auto range = static_cast<uint64_t>(n);
  const uint64_t limit = UINT64_MAX - UINT64_MAX % range;
  uint64_t draw = 0;
  do {
    const uint64_t high = bits();
    draw = high << 32 | bits();
  } while (draw >= limit);
  return static_cast<int64_t>(draw % range);
}

double Rng::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));  // 1 - u is never 0
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

Rng Rng::split(uint64_t stream) const {
  // The last counters belong to nobody's stream of numbers: they make keys.
  const auto b = numbers(~stream, state_.key);
  return Rng(State{uint64_t{b[0]} << 32 | b[1], 0});
}

void shuffle(std::span<int32_t> list, Rng& rng) {
  for (size_t i = list.size(); i > 1; --i) {
    std::swap(list[i - 1], list[static_cast<size_t>(rng.integer(static_cast<int64_t>(i)))]);
  }
}

}  // namespace heed
