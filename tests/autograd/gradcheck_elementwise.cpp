#include "tests/autograd/gradients.hpp"

// Elementwise ops, arithmetic, reductions and loss: their gradients against finite differences.

namespace heed::tests {
namespace {

using Inputs = std::vector<Tensor>;

TEST_CASE("gradcheck: arithmetic, over every way to broadcast") {
  const Shape shapes[][2] = {{{2, 3}, {2, 3}},          {{2, 3}, {3}}, {{2, 3}, {}},
                             {{2, 1}, {1, 3}},          {{3}, {2, 1}}, {{2, 1, 3}, {4, 1}},
                             {{2, 3, 2, 2}, {3, 1, 2}}, {{1}, {1}},    {{2, 2, 1, 3}, {1, 1, 2, 3}}};
  for (const auto& [a, b] : shapes) {
    const Inputs inputs = {away_from_zero(a, 1), away_from_zero(b, 2)};
    check_gradient("add", inputs, [](const Inputs& x) { return add(x[0], x[1]); });
    check_gradient("sub", inputs, [](const Inputs& x) { return sub(x[0], x[1]); });
    check_gradient("mul", inputs, [](const Inputs& x) { return mul(x[0], x[1]); });
    check_gradient("div", inputs, [](const Inputs& x) { return div(x[0], x[1]); });
  }
  check_gradient("neg", {spaced({2, 3}, -1, 1)}, [](const Inputs& x) { return neg(x[0]); });
  check_gradient("scale", {spaced({2, 3}, -1, 1)}, [](const Inputs& x) { return scale(x[0], real(-1.7)); });
  check_gradient("shift", {spaced({2, 3}, -1, 1)}, [](const Inputs& x) { return shift(x[0], real(0.3)); });
  check_gradient("where", {spaced({5}, -1, 1, 1), spaced({5}, -1, 1, 2)}, [](const Inputs& x) {
    return where(Ids({5}, {1, 0, 0, 1, 1}), x[0], x[1]);
  });
}

TEST_CASE("gradcheck: the same tensor twice") {
  check_gradient("mul", {away_from_zero({4})}, [](const Inputs& x) { return mul(x[0], x[0]); });
  check_gradient("add", {away_from_zero({4})}, [](const Inputs& x) { return add(x[0], tanh(x[0])); });
  check_gradient("matmul", {away_from_zero({3, 3})}, [](const Inputs& x) { return matmul(x[0], x[0]); });
  check_gradient("dot_attention", {away_from_zero({1, 4, 4})},
                 [](const Inputs& x) { return dot_attention(x[0], x[0], x[0], 2, real(0.7)); });
}

TEST_CASE("gradcheck: maps") {
  const Inputs any = {spaced({3, 7}, -3, 3)};
  const Inputs positive = {spaced({3, 7}, 0.3, 2)};
  const Inputs kinked = {away_from_zero({3, 7})};
  check_gradient("exp", any, [](const Inputs& x) { return exp(x[0]); });
  check_gradient("log", positive, [](const Inputs& x) { return log(x[0]); });
  check_gradient("sqrt", positive, [](const Inputs& x) { return sqrt(x[0]); });
  check_gradient("pow", positive, [](const Inputs& x) { return pow(x[0], real(2.5)); });
  for (const real exponent : {3, 2, 1, 0, -1}) {
    check_gradient("pow", kinked, [=](const Inputs& x) { return pow(x[0], exponent); });
  }
  for (const real exponent : {0.5, -0.5}) {
    check_gradient("pow", positive, [=](const Inputs& x) { return pow(x[0], exponent); });
  }
  check_gradient("abs", kinked, [](const Inputs& x) { return abs(x[0]); });
  check_gradient("tanh", any, [](const Inputs& x) { return tanh(x[0]); });
  check_gradient("sigmoid", any, [](const Inputs& x) { return sigmoid(x[0]); });
  check_gradient("relu", kinked, [](const Inputs& x) { return relu(x[0]); });
  check_gradient("gelu", any, [](const Inputs& x) { return gelu(x[0]); });
  check_gradient("silu", any, [](const Inputs& x) { return silu(x[0]); });
  check_gradient("softplus", any, [](const Inputs& x) { return softplus(x[0]); });
  check_gradient("clamp", kinked, [](const Inputs& x) { return clamp(x[0], real(-1.03), real(0.99)); });
  check_gradient("dropout", any, [](const Inputs& x) {
    Rng rng(3);
    return dropout(x[0], real(0.4), rng);
  });
}

TEST_CASE("gradcheck: reductions") {
  const Inputs inputs = {spaced({2, 3, 4}, -2, 2)};
  check_gradient("sum", inputs, [](const Inputs& x) { return sum(x[0]); });
  check_gradient("mean", inputs, [](const Inputs& x) { return mean(x[0]); });
  check_gradient("max", inputs, [](const Inputs& x) { return max(x[0]); });
  check_gradient("min", inputs, [](const Inputs& x) { return min(x[0]); });
  for (const bool keep : {false, true}) {
    check_gradient("sum(axes)", inputs, [=](const Inputs& x) { return sum(x[0], {0, 2}, keep); });
    check_gradient("mean(axes)", inputs, [=](const Inputs& x) { return mean(x[0], {-1, 1}, keep); });
    check_gradient("max(axes)", inputs, [=](const Inputs& x) { return max(x[0], {2, 0}, keep); });
    check_gradient("min(axes)", inputs, [=](const Inputs& x) { return min(x[0], {0, 1, 2}, keep); });
  }
  for (const int axis : {0, 1, 2, -1, -3}) {
    for (const bool keep : {false, true}) {
      check_gradient("sum(axis)", inputs, [=](const Inputs& x) { return sum(x[0], axis, keep); });
      check_gradient("mean(axis)", inputs, [=](const Inputs& x) { return mean(x[0], axis, keep); });
      check_gradient("max(axis)", inputs, [=](const Inputs& x) { return max(x[0], axis, keep); });
      check_gradient("min(axis)", inputs, [=](const Inputs& x) { return min(x[0], axis, keep); });
    }
  }
}

TEST_CASE("gradcheck: losses") {
  const Ids targets({2, 3}, {0, 3, -1, 2, 2, 1});
  for (const bool mean : {true, false}) {
    for (const real smoothing : {real(0), real(0.2)}) {
      check_gradient("cross_entropy", {spaced({2, 3, 4}, -2, 2)}, [&](const Inputs& x) {
        return cross_entropy(x[0], targets, {.label_smoothing = smoothing, .mean = mean});
      });
    }
  }
  check_gradient("mse", {spaced({2, 3}, -2, 2, 1), spaced({2, 3}, -2, 2, 2)},
                 [](const Inputs& x) { return mse(x[0], x[1]); });
}

}  // namespace
}  // namespace heed::tests
