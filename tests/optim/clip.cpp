#include "optim/clip.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "tests/support/close.hpp"

using namespace heed;
using heed::tests::close;

namespace {

// A parameter whose gradient is `grad`.
Tensor with_gradient(std::initializer_list<real> grad) {
  const Shape shape{int64_t(grad.size())};
  Tensor p = Tensor::zeros(shape);
  p.requires_grad();
  backward(sum(mul(p, Tensor::from(shape, grad))));
  return p;
}

constexpr double rtol = sizeof(real) == 8 ? 1e-14 : 1e-6;

}  // namespace

TEST_CASE("clip_grad_norm returns the norm and scales all gradients by one factor") {
  const Tensor a = with_gradient({3, 0}), b = with_gradient({0, 4, 12});
  CHECK(close(clip_grad_norm({a, b}, 6.5), 13, rtol, 0));
  const double factor = 6.5 / (13 + 1e-6);
  CHECK(close(a.grad().data()[0], 3 * factor, rtol, 0));
  CHECK(a.grad().data()[1] == 0);
  CHECK(close(b.grad().data()[1], 4 * factor, rtol, 0));
  CHECK(close(b.grad().data()[2], 12 * factor, rtol, 0));
}

TEST_CASE("clip_grad_norm leaves small gradients alone") {
  const Tensor a = with_gradient({3, 4});
  CHECK(close(clip_grad_norm({a}, 5.1), 5, rtol, 0));
  CHECK(a.grad().data()[0] == 3);
}

TEST_CASE("clip_grad_norm counts a repeated parameter once and skips one without gradient") {
  const Tensor a = with_gradient({3, 4});
  Tensor none = Tensor::zeros({7});
  none.requires_grad();
  CHECK(close(clip_grad_norm({a, a, none, a}, 2.5), 5, rtol, 0));
  CHECK(close(a.grad().data()[0], 3 * 2.5 / (5 + 1e-6), rtol, 0));
  CHECK(clip_grad_norm({none}, 1) == 0);
}

TEST_CASE("clip_grad_norm lets NaN through") {
  const Tensor a = with_gradient({std::numeric_limits<real>::quiet_NaN(), 4});
  CHECK(std::isnan(clip_grad_norm({a}, 1)));
  CHECK(std::isnan(a.grad().data()[0]));
}

TEST_CASE("clip_grad_value confines each element") {
  const Tensor a = with_gradient({-3, -0.5, 0.25, 2, std::numeric_limits<real>::quiet_NaN()});
  clip_grad_value({a, a}, 0.5);
  const Tensor grad = a.grad();
  CHECK(grad.data()[0] == real(-0.5));
  CHECK(grad.data()[1] == real(-0.5));
  CHECK(grad.data()[2] == real(0.25));
  CHECK(grad.data()[3] == real(0.5));
  CHECK(std::isnan(grad.data()[4]));
}

TEST_CASE("limits that are not positive are refused") {
  const Tensor a = with_gradient({1});
  CHECK_THROWS_WITH_AS(clip_grad_norm({a}, 0), "clip_grad_norm: max_norm is 0, expected a number above 0",
                       Error);
  CHECK_THROWS_WITH_AS(clip_grad_value({a}, -1), "clip_grad_value: limit is -1, expected a number above 0",
                       Error);
}
