#include "autograd/ids.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "tests/support/errors.hpp"

namespace heed::tests {
namespace {

// What a mask lets query t of row b see, slot by slot.
std::vector<int> seen(const Mask& mask, int64_t b, int64_t t, int64_t slots) {
  std::vector<int> result;
  const uint8_t* bytes = mask.bytes(b, slots);
  for (int64_t s = 0; s < slots; ++s) {
    result.push_back(s < mask.visible(b, t, slots) && (bytes == nullptr || bytes[s] != 0) ? 1 : 0);
  }
  return result;
}

TEST_CASE("ids hold as many values as their shape says") {
  const Ids ids({2, 2}, {1, 2, 3, 4});
  CHECK(ids[3] == 4);
  CHECK(Ids(Shape{3})[2] == 0);
  CHECK(error_of([] { Ids({2, 2}, {1, 2, 3}); }) == "ids: 3 values for shape (2, 2), which has 4");
}

TEST_CASE("rows of ids, in any order and repeated") {
  const Ids ids({3, 2}, {1, 2, 3, 4, 5, 6});
  const std::vector<int32_t> rows{2, 0, 2}, beyond{0, 3};
  const Ids some = ids.select(rows);
  CHECK(some.shape() == Shape{3, 2});
  CHECK(std::vector(some.values().begin(), some.values().end()) == std::vector{5, 6, 1, 2, 5, 6});
  CHECK(Ids().select(rows).size() == 0);
  CHECK(error_of([&] { static_cast<void>(ids.select(beyond)); }) == "ids: row 3 is outside [0, 3)");
}

TEST_CASE("lengths, bytes and causality hide slots, alone and together") {
  CHECK(Mask().everything());
  CHECK(seen(Mask(), 0, 0, 3) == std::vector{1, 1, 1});
  const Mask lengths = Mask::of_lengths({2, 0, 9});
  CHECK(seen(lengths, 0, 0, 3) == std::vector{1, 1, 0});
  CHECK(seen(lengths, 1, 0, 3) == std::vector{0, 0, 0});
  CHECK(seen(lengths, 2, 0, 3) == std::vector{1, 1, 1});
  CHECK(seen(Mask::of_bytes(2, 3, {1, 1, 1, 0, 1, 0}), 1, 0, 3) == std::vector{0, 1, 0});
  CHECK(seen(Mask().causal(), 0, 0, 3) == std::vector{1, 0, 0});
  CHECK(seen(Mask().causal(), 0, 2, 3) == std::vector{1, 1, 1});
  CHECK(seen(Mask().causal(1), 0, 0, 3) == std::vector{1, 1, 0});
  CHECK(seen(lengths.causal(), 0, 2, 3) == std::vector{1, 1, 0});
}

TEST_CASE("a mask that does not fit says so") {
  for (const int32_t length : {99, -2}) {
    CHECK(error_of([&] {
            Mask::of_lengths({3, length}).check("softmax", 2, 3);
          }) == fmt::format("softmax: the mask's length {} of row 1 is outside [0, 3]", length));
  }
  CHECK(error_of([] { Mask::of_lengths({3, 0}).check("softmax", 2, 3); }).empty());
  CHECK(error_of([] {
          Mask::of_lengths({1, 2}).check("softmax", 3, 4);
        }) == "softmax: the mask has 2 lengths for a batch of 3");
  CHECK(error_of([] {
          Mask::of_bytes(1, 2, {1, 1}).check("softmax", 1, 4);
        }) == "softmax: the mask has 2 bytes for 1 rows of 4 slots");
  CHECK(error_of([] { Mask::of_bytes(2, 2, {1, 1}); }) == "mask: 2 bytes for 2 rows of 2 slots");
}

TEST_CASE("select takes rows, append adds slots that are seen") {
  const int32_t rows[] = {1, 1, 0};
  const Mask lengths = Mask::of_lengths({1, 3});
  CHECK(seen(lengths.select(rows, 3), 0, 0, 3) == std::vector{1, 1, 1});
  CHECK(seen(lengths.select(rows, 3), 2, 0, 3) == std::vector{1, 0, 0});
  const Mask bytes = Mask::of_bytes(2, 3, {1, 1, 1, 0, 1, 0});
  CHECK(seen(bytes.select(rows, 3), 1, 0, 3) == std::vector{0, 1, 0});
  CHECK(seen(lengths.append(2, 3, 2), 0, 0, 5) == std::vector{1, 0, 0, 1, 1});
  CHECK(seen(bytes.append(2, 3, 1), 1, 0, 4) == std::vector{0, 1, 0, 1});
  CHECK(Mask().append(2, 3, 1).everything());
  CHECK(Mask().causal().append(2, 3, 1).is_causal());
}

}  // namespace
}  // namespace heed::tests
