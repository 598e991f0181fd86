#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/precision/results.hpp"

// Both libraries in one program: the same op, forward and backward, on the same inputs in float and double.

TEST_CASE("float agrees with double, op by op") {
  const auto in_float = heed::tests::f32::results();
  const auto in_double = heed::tests::f64::results();
  REQUIRE(in_float.size() == in_double.size());
  REQUIRE(in_float.size() > 20);
  int differing = 0;  // products of such short numbers are exact in both
  for (size_t i = 0; i < in_float.size(); ++i) {
    const auto& narrow = in_float[i].numbers;
    const auto& wide = in_double[i].numbers;
    REQUIRE(narrow.size() == wide.size());
    double scale = 1;
    double difference = 0;
    for (size_t j = 0; j < wide.size(); ++j) {
      scale = std::max(scale, std::abs(wide[j]));
      difference = std::max(difference, std::abs(narrow[j] - wide[j]));
    }
    CHECK_MESSAGE(difference <= 1e-5 * scale,
                  in_float[i].op << ": " << difference << " on a scale of " << scale);
    differing += difference > 0 ? 1 : 0;
  }
  CHECK(differing > 15);
}
