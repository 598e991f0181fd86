#include "autograd/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "tests/support/close.hpp"
#include "tests/support/errors.hpp"

namespace heed::tests {
namespace {

// Random123's known answers for philox4x32-10, those that a 64-bit counter and key can express.
TEST_CASE("Philox4x32-10 gives the published vectors") {
  const auto four = [](Rng rng) { return std::array{rng.bits(), rng.bits(), rng.bits(), rng.bits()}; };
  CHECK(four(Rng(0)) == std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
}

TEST_CASE("the same seed gives the same numbers, another seed others") {
  Rng a(7);
  Rng b(7);
  Rng c(8);
  int equal = 0;
  for (int i = 0; i < 100; ++i) {
    const uint32_t x = a.bits();
    CHECK(x == b.bits());
    equal += x == c.bits() ? 1 : 0;
  }
  CHECK(equal == 0);
}

TEST_CASE("a saved state continues where it was") {
  Rng a(7);
  for (int i = 0; i < 13; ++i) a.bits();
  Rng b(a.state());
  for (int i = 0; i < 13; ++i) CHECK(a.uniform() == b.uniform());
}

TEST_CASE("numbers left to a kernel are those that would have been drawn") {
  Rng a(3);
  a.bits();
  Rng b(a.state());
  CHECK(a.leave(11) == b.state());
  for (int i = 0; i < 11; ++i) b.bits();
  CHECK(a.state() == b.state());
}

TEST_CASE("streams depend on the key alone and differ") {
  Rng a(5);
  const Rng before = a.split(1);
  for (int i = 0; i < 10; ++i) a.bits();
  CHECK(a.split(1).state() == before.state());
  std::set<uint64_t> keys;
  for (uint64_t s = 0; s < 1000; ++s) keys.insert(Rng(5).split(s).state().key);
  CHECK(keys.size() == 1000);
  CHECK(Rng(5).split(1).split(2).state() != Rng(5).split(2).split(1).state());
}

TEST_CASE("uniforms, integers and normals have their moments") {
  Rng rng(11);
  constexpr int n = 200'000;
  double sum = 0;
  double squares = 0;
  double normal_sum = 0;
  double normal_squares = 0;
  std::array<int, 7> counts{};
  for (int i = 0; i < n; ++i) {
    const double u = rng.uniform();
    CHECK_MESSAGE((u >= 0 && u < 1), u);
    sum += u;
    squares += u * u;
    const double z = rng.normal();
    normal_sum += z;
    normal_squares += z * z;
    ++counts[static_cast<size_t>(rng.integer(7))];
  }
  // five standard errors each
  CHECK(close(sum / n, 0.5, 0, 5 * 0.2887 / std::sqrt(n)));
  CHECK(close(squares / n, 1.0 / 3, 0, 5 * 0.298 / std::sqrt(n)));
  CHECK(close(normal_sum / n, 0, 0, 5 / std::sqrt(n)));
  CHECK(close(normal_squares / n, 1, 0, 5 * std::sqrt(2.0 / n)));
  for (const int count : counts) CHECK(close(count, n / 7.0, 0, 5 * std::sqrt(n * 6.0 / 49)));
  CHECK(error_of([&] { rng.integer(0); }) == "rng: an integer below 0 does not exist");
}

TEST_CASE("shuffle permutes, every place equally often") {
  Rng rng(1);
  std::array<std::array<int, 4>, 4> counts{};
  constexpr int n = 24'000;
  for (int i = 0; i < n; ++i) {
    std::vector<int32_t> list(4);
    std::iota(list.begin(), list.end(), 0);
    shuffle(list, rng);
    for (size_t place = 0; place < 4; ++place) ++counts[place][static_cast<size_t>(list[place])];
    std::sort(list.begin(), list.end());
    CHECK(list == std::vector<int32_t>{0, 1, 2, 3});
  }
  for (const auto& row : counts) {
    for (const int count : row) CHECK(close(count, n / 4.0, 0, 5 * std::sqrt(n * 3.0 / 16)));
  }
}

}  // namespace
}  // namespace heed::tests
