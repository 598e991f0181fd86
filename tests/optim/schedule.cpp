#include "optim/schedule.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/error.hpp"
#include "tests/support/close.hpp"

using namespace heed;
using heed::tests::close;

TEST_CASE("constant") {
  const Schedule lr = constant(0.3);
  CHECK(lr(0) == 0.3);
  CHECK(lr(1'000'000) == 0.3);
}

TEST_CASE("linear warm-up ends where the schedule after it is") {
  const Schedule lr = linear_warmup(4, constant(0.8));
  CHECK(close(lr(0), 0.2, 1e-15, 0));
  CHECK(close(lr(1), 0.4, 1e-15, 0));
  CHECK(close(lr(3), 0.8, 1e-15, 0));
  CHECK(lr(4) == 0.8);
  CHECK(linear_warmup(0, constant(1))(0) == 1);
}

TEST_CASE("linear decay") {
  const Schedule lr = linear_decay(1, 10, 0.2);
  CHECK(lr(0) == 1);
  CHECK(close(lr(5), 0.6, 1e-15, 0));
  CHECK(close(lr(10), 0.2, 1e-15, 0));
  CHECK(close(lr(50), 0.2, 1e-15, 0));
}

TEST_CASE("cosine") {
  const Schedule lr = cosine(2, 90, 0.5);
  CHECK(lr(0) == 2);
  CHECK(close(lr(30), 0.5 + 1.5 * 0.75, 1e-15, 0));  // cos 60 degrees = 1/2
  CHECK(close(lr(45), 1.25, 1e-15, 0));
  CHECK(close(lr(60), 0.5 + 1.5 * 0.25, 1e-15, 0));
  CHECK(close(lr(90), 0.5, 1e-15, 0));
  CHECK(close(lr(1000), 0.5, 1e-15, 0));
}

TEST_CASE("inverse square root rises to lr at the end of the warm-up and falls to half at four times it") {
  const Schedule lr = inverse_sqrt(0.1, 100);
  CHECK(close(lr(0), 0.001, 1e-14, 0));
  CHECK(close(lr(49), 0.05, 1e-14, 0));
  CHECK(close(lr(99), 0.1, 1e-14, 0));
  CHECK(close(lr(399), 0.05, 1e-14, 0));
}

TEST_CASE("noam is equation 3 of Vaswani et al. 2017") {
  const Schedule lr = noam(512, 4000);
  for (const int64_t n : {1, 100, 3999, 4000, 4001, 100000}) {
    const double expected =
        std::pow(512, -0.5) * std::fmin(std::pow(n, -0.5), double(n) * std::pow(4000, -1.5));
    CHECK(close(lr(n - 1), expected, 1e-13, 0));
  }
}

TEST_CASE("step decay") {
  const Schedule lr = step_decay(1, 10, 0.5);
  CHECK(lr(0) == 1);
  CHECK(lr(9) == 1);
  CHECK(lr(10) == 0.5);
  CHECK(lr(29) == 0.25);
}

TEST_CASE("lengths that are not positive are refused") {
  CHECK_THROWS_WITH_AS(cosine(1, 0), "cosine: total is 0, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(noam(0, 5), "noam: width is 0, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(linear_warmup(-1, constant(1)), "linear_warmup: warmup is -1, expected at least 0",
                       Error);
}
