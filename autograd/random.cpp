#include "autograd/random.hpp"

#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "autograd/error.hpp"

namespace heed {

namespace {

using Block = std::array<uint32_t, 4>;

// Ten rounds of Philox4x32: multiply two words by constants, swap, and mix in the key, which a Weyl sequence
// advances between rounds (Salmon et al. 2011, on Philox).
Block philox(uint64_t counter, uint64_t key) {
  Block c = {static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0};
  auto k0 = static_cast<uint32_t>(key);
  auto k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

}  // namespace

uint32_t Rng::bits() {
  const uint64_t n = state_.counter++;
  return philox(n / 4, state_.key)[n % 4];
}

void Rng::fill(std::span<uint32_t> list) {
  for (size_t i = 0; i < list.size();) {
    const Block block = philox(state_.counter / 4, state_.key);
    for (uint64_t j = state_.counter % 4; j < 4 && i < list.size(); ++j, ++state_.counter)
      list[i++] = block[j];
  }
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
  const Block b = philox(~stream, state_.key);
  return Rng(State{uint64_t{b[0]} << 32 | b[1], 0});
}

void shuffle(std::span<int32_t> list, Rng& rng) {
  for (size_t i = list.size(); i > 1; --i) {
    std::swap(list[i - 1], list[static_cast<size_t>(rng.integer(static_cast<int64_t>(i)))]);
  }
}

}  // namespace heed
