#include "autograd/shape.hpp"

#include <doctest/doctest.h>

#include "autograd/error.hpp"

namespace heed {

TEST_CASE("a shape knows its sizes, axes counted from both ends") {
  const Shape s{2, 3, 4};
  CHECK(s.rank() == 3);
  CHECK(s.size() == 24);
  CHECK(s[-1] == 4);
  CHECK(s[0] == 2);
  CHECK(s.outer(1) == 2);
  CHECK(s.inner(1) == 4);
  CHECK(s.text() == "(2, 3, 4)");
  CHECK(Shape{}.size() == 1);
  CHECK(Shape{}.text() == "()");
}

TEST_CASE("an axis is resized, removed, inserted") {
  const Shape s{2, 3};
  CHECK(s.with(-1, 5) == Shape{2, 5});
  CHECK(s.without(0) == Shape{3});
  CHECK(s.insert(-1, 7) == Shape{2, 3, 7});
  CHECK(s.insert(0, 7) == Shape{7, 2, 3});
}

TEST_CASE("shapes broadcast by NumPy's rule") {
  CHECK(broadcast("add", {2, 1, 4}, {3, 1}) == Shape{2, 3, 4});
  CHECK(broadcast("add", {}, {3}) == Shape{3});
  CHECK_THROWS_WITH_AS(broadcast("add", {2, 3}, {2}), "add: shapes (2, 3) and (2) do not broadcast", Error);
}

TEST_CASE("bad shapes are told in one sentence") {
  CHECK_THROWS_WITH_AS((Shape{1, 2, 3, 4, 5}), "shape: rank 5 is above the largest, 4", Error);
  CHECK_THROWS_WITH_AS((Shape{2, -1}), "shape: size -1 of axis 1 is negative", Error);
  CHECK_THROWS_WITH_AS(static_cast<void>(Shape{2, 3}.axis(2)), "axis 2 of shape (2, 3): out of range", Error);
}

}  // namespace heed
