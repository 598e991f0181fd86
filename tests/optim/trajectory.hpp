#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "optim/optimizer.hpp"
#include "tests/support/close.hpp"

namespace heed::tests {

using Real = long double;

// dL/dp_j at step t: of both signs, from small to large, and exactly 0 now and then.
inline real gradient(int t, int j) {
  return (t + 2 * j) % 5 == 0 ? real(0) : real(std::sin(1.7 * t + j)) * real(j + 1) / real(4);
}

// Gives `p` that gradient, by way of a loss that is linear in it.
inline void set_gradient(Tensor& p, int t) {
  Tensor slope = Tensor::zeros(p.shape());
  for (int64_t j = 0; j < p.size(); ++j) slope.mutable_data()[j] = gradient(t, int(j));
  p.zero_grad();
  backward(sum(mul(p, slope)));
}

inline Tensor parameter(Shape shape) {
  Tensor p = Tensor::zeros(shape);
  for (int64_t j = 0; j < p.size(); ++j) p.mutable_data()[j] = real(0.5) - real(0.3) * real(j);
  p.requires_grad();
  return p;
}

// Steps `optimizer`, whose only parameter is `p`, 25 times beside `update(p, g, j, t)`: the same formula for
// one scalar in long double, with its own memory per element j. Both must agree at every step.
template <class Update>
void follow(Optimizer& optimizer, Tensor& p, Update update) {
  const double rtol = sizeof(real) == 8 ? 1e-13 : 1e-5, atol = sizeof(real) == 8 ? 1e-14 : 1e-6;
  std::vector<Real> expected(p.values().begin(), p.values().end());
  for (int t = 0; t < 25; ++t) {
    set_gradient(p, t);
    optimizer.step();
    for (size_t j = 0; j < expected.size(); ++j) {
      expected[j] = update(expected[j], Real(gradient(t, int(j))), j, t);
      CAPTURE(t);
      CAPTURE(j);
      CHECK(close(p.data()[j], double(expected[j]), rtol, atol));
    }
  }
}

}  // namespace heed::tests
