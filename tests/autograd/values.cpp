#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "tests/support/close.hpp"
#include "tests/support/errors.hpp"

// What ops compute, and what they say about shapes that do not fit. Gradients are checked elsewhere.

namespace heed::tests {
namespace {

constexpr real inf = std::numeric_limits<real>::infinity();
const real nan = std::numeric_limits<real>::quiet_NaN();
constexpr double eps = sizeof(real) == 4 ? 1e-6 : 1e-14;

bool equal(const Tensor& x, const Shape& shape, std::initializer_list<double> values) {
  if (x.shape() != shape || x.size() != static_cast<int64_t>(values.size())) return false;
  for (int64_t i = 0; i < x.size(); ++i) {
    if (!close(x.data()[i], values.begin()[i], eps, eps)) return false;
  }
  return true;
}

TEST_CASE("arithmetic broadcasts as NumPy does") {
  const Tensor a = Tensor::from({2, 1}, {10, 20});
  const Tensor b = Tensor::from({3}, {1, 2, 4});
  CHECK(equal(add(a, b), {2, 3}, {11, 12, 14, 21, 22, 24}));
  CHECK(equal(sub(a, b), {2, 3}, {9, 8, 6, 19, 18, 16}));
  CHECK(equal(mul(b, a), {2, 3}, {10, 20, 40, 20, 40, 80}));
  CHECK(equal(div(a, b), {2, 3}, {10, 5, 2.5, 20, 10, 5}));
  CHECK(equal(a + Tensor::scalar(1), {2, 1}, {11, 21}));
  CHECK(equal(-a, {2, 1}, {-10, -20}));
  CHECK(error_of([&] { add(b, Tensor::zeros({2})); }) == "add: shapes (3) and (2) do not broadcast");
  CHECK(error_of([&] { where(Ids(Shape{3}), b, Tensor::zeros({2})); }) ==
        "where: condition (3), a (3) and b (2) have to be of one shape");
}

TEST_CASE("maps at their kinks and ends") {
  const Tensor x = Tensor::from({5}, {-inf, -1, 0, 1, inf});
  CHECK(equal(relu(x), {5}, {0, 0, 0, 1, inf}));
  CHECK(equal(abs(x), {5}, {inf, 1, 0, 1, inf}));
  CHECK(equal(tanh(x), {5}, {-1, std::tanh(-1.0), 0, std::tanh(1.0), 1}));
  CHECK(equal(exp(x), {5}, {0, std::exp(-1.0), 1, std::exp(1.0), inf}));
  CHECK(equal(sigmoid(x), {5}, {0, 1 / (1 + std::exp(1.0)), 0.5, 1 / (1 + std::exp(-1.0)), 1}));
  CHECK(equal(softplus(x), {5},
              {0, std::log1p(std::exp(-1.0)), std::log(2.0), std::log1p(std::exp(1.0)), inf}));
  CHECK(equal(clamp(x, real(-0.5), real(0.5)), {5}, {-0.5, -0.5, 0, 0.5, 0.5}));
  CHECK(equal(log(Tensor::from({2}, {0, 1})), {2}, {-inf, 0}));
  for (const auto& y :
       {relu(Tensor::scalar(nan)), clamp(Tensor::scalar(nan), 0, 1), tanh(Tensor::scalar(nan)),
        max(Tensor::from({3}, {1, nan, 2}), 0), min(Tensor::from({3}, {1, nan, 2}), 0)}) {
    CHECK(std::isnan(y.item()));
  }
  CHECK(error_of([&] { clamp(x, 1, 0); }) == "clamp: the bounds 1 and 0 are not in order");
}

Tensor gradient(Tensor x, Tensor (*f)(const Tensor&)) {
  x.requires_grad();
  backward(sum(f(x)));
  return x.grad();
}

TEST_CASE("gradients at kinks and ties") {
  CHECK(equal(gradient(Tensor::from({3}, {-1, 0, 1}), relu), {3}, {0, 0, 1}));
  CHECK(equal(gradient(Tensor::from({3}, {-1, 0, 1}), abs), {3}, {-1, 0, 1}));
  CHECK(equal(gradient(Tensor::from({4}, {-1, 0, 1, 2}), [](const Tensor& x) { return clamp(x, 0, 1); }), {4},
              {0, 1, 1, 0}));
  CHECK(equal(gradient(Tensor::from({4}, {1, 3, 3, 2}), [](const Tensor& x) { return max(x, 0); }), {4},
              {0, 1, 0, 0}));
  CHECK(equal(gradient(Tensor::from({4}, {2, 1, 1, 2}), [](const Tensor& x) { return min(x, 0); }), {4},
              {0, 1, 0, 0}));
}

TEST_CASE("products over nothing are zeros, as are gradients through products of no elements") {
  const auto litter = [] {
    Tensor::full({2, 3, 5}, std::numeric_limits<real>::quiet_NaN());
  };  // for the pool
  struct Case {
    Shape a, b;
    Transposed transposed;
  };
  const Case cases[] = {
      {{3, 0}, {0, 4}, {}},
      {{2, 3, 0}, {2, 0, 4}, {}},
      {{2, 0, 3}, {0, 4}, {.a = true}},
      {{2, 3, 0}, {2, 4, 0}, {.b = true}},
      {{2, 3, 5}, {2, 5, 0}, {}},
      {{2, 0, 5}, {2, 5, 4}, {}},
      {{0, 5, 3}, {5, 4}, {.a = true}},
      {{2, 5, 3}, {5, 0}, {.a = true}},
      {{0, 5}, {5, 4}, {}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.a.text());
    CAPTURE(c.b.text());
    Tensor a = Tensor::full(c.a, 1), b = Tensor::full(c.b, 1);
    a.requires_grad(), b.requires_grad();
    litter();
    const Tensor y = matmul(a, b, c.transposed);
    for (const real v : y.values()) CHECK(v == 0);
    const Tensor loss = sum(y);
    litter();
    backward(loss);
    for (const Tensor& x : {a, b})
      for (const real v : x.grad().values()) CHECK(v == 0);
  }
}

TEST_CASE("dropout keeps the mean, and scales what it keeps") {
  Rng rng(1);
  const Tensor y = dropout(Tensor::full({20'000}, 1), real(0.25), rng);
  int kept = 0;
  for (const real v : y.values()) {
    CHECK((v == 0 || close(v, 4.0 / 3, eps, 0)));
    kept += v != 0 ? 1 : 0;
  }
  CHECK(close(kept, 15'000, 0, 5 * std::sqrt(20'000 * 0.1875)));
  CHECK(dropout(y, 0, rng).data() == y.data());
  CHECK(error_of([&] { dropout(y, 1, rng); }) == "dropout: probability 1 is outside [0, 1)");
}

TEST_CASE("reductions") {
  const Tensor x = Tensor::from({2, 3}, {1, 5, 3, 4, 2, 6});
  CHECK(sum(x).item() == 21);
  CHECK(close(mean(x).item(), 3.5, eps, 0));
  CHECK(equal(sum(x, 0), {3}, {5, 7, 9}));
  CHECK(equal(sum(x, 1, true), {2, 1}, {9, 12}));
  CHECK(equal(mean(x, -1), {2}, {3, 4}));
  CHECK(equal(max(x, 1), {2}, {5, 6}));
  CHECK(equal(min(x, 0), {3}, {1, 2, 3}));
  const Ids first = argmax(Tensor::from({2, 3}, {1, 5, 5, 4, 2, 3}));
  CHECK((first[0] == 1 && first[1] == 0));
  const TopK top = top_k(Tensor::from({4}, {1, 5, 5, 4}), 3);
  CHECK(equal(top.values, {3}, {5, 5, 4}));
  CHECK((top.indices[0] == 1 && top.indices[1] == 2 && top.indices[2] == 3));
  CHECK(error_of([&] { top_k(x, 4); }) == "top_k: k = 4 is outside [1, 3]");
  CHECK(error_of([&] { sum(x, 2); }) == "axis 2 of shape (2, 3): out of range");
}

TEST_CASE("reductions over several axes, and the extremes of everything") {
  Tensor x = Tensor::from({2, 2, 2}, {1, 2, 3, 4, 5, 8, 8, 6});
  CHECK(equal(sum(x, {0, 2}), {2}, {16, 21}));
  CHECK(equal(mean(x, {2, 0}), {2}, {4, 5.25}));
  CHECK(equal(max(x, {-1, -2}), {2}, {4, 8}));
  CHECK(equal(min(x, {0, 1, 2}), {}, {1}));
  CHECK(sum(x, {0, 2}, true).shape() == Shape{1, 2, 1});
  CHECK(sum(x, {1}).shape() == Shape{2, 2});
  CHECK(sum(x, {}).shape() == x.shape());
  CHECK(max(x).item() == 8);
  CHECK(min(x).item() == 1);
  CHECK(error_of([&] { sum(x, {1, -2}); }) == "sum: axis 1 of (2, 2, 2) is named twice");
  CHECK(error_of([&] { max(x, {0, 3}); }) == "axis 3 of shape (2, 2, 2): out of range");
  CHECK(error_of([] { max(Tensor::zeros({0, 2})); }) == "max: shape (0) has no element along the axis");
  x.requires_grad();
  backward(max(x, {0, 1, 2}));  // all to the first 8
  CHECK(equal(x.grad(), {2, 2, 2}, {0, 0, 0, 0, 0, 1, 0, 0}));
}

TEST_CASE("powers at zero") {
  const auto slope_at = [](real at, real exponent) {
    Tensor x = Tensor::from({1}, {at});
    x.requires_grad();
    backward(sum(pow(x, exponent)));
    return x.grad().item();
  };
  CHECK(pow(Tensor::scalar(0), 0).item() == 1);
  CHECK(slope_at(0, 0) == 0);
  CHECK(slope_at(inf, 0) == 0);
  CHECK(slope_at(0, 1) == 1);
  CHECK(slope_at(0, 2) == 0);
  CHECK(slope_at(0, real(0.5)) == inf);
  CHECK(slope_at(0, -1) == -inf);
  CHECK(slope_at(-2, 3) == 12);
  CHECK(std::isnan(slope_at(-2, real(0.5))));
  CHECK(std::isnan(slope_at(nan, 2)));
}

TEST_CASE("moving numbers") {
  const Tensor x = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(equal(transpose(x), {3, 2}, {1, 4, 2, 5, 3, 6}));
  CHECK(equal(slice(x, 1, 1, 3), {2, 2}, {2, 3, 5, 6}));
  CHECK(equal(select(x, 0, 1), {3}, {4, 5, 6}));
  CHECK(equal(concat({x, slice(x, 1, 0, 1)}, 1), {2, 4}, {1, 2, 3, 1, 4, 5, 6, 4}));
  CHECK(equal(stack({select(x, 0, 0), select(x, 0, 1)}, -1), {3, 2}, {1, 4, 2, 5, 3, 6}));
  CHECK(equal(pad(x, 1, 1, 0, 9), {2, 4}, {9, 1, 2, 3, 9, 4, 5, 6}));
  CHECK(equal(expand(Tensor::from({2, 1}, {1, 2}), {2, 2}), {2, 2}, {1, 1, 2, 2}));
  CHECK(error_of([&] { slice(x, 1, 2, 4); }) == "slice: [2, 4) of axis 1 of (2, 3) is out of range");
  CHECK(error_of([&] {
          concat({x, Tensor::zeros({3, 3})}, 1);
        }) == "concat: (2, 3) and (3, 3) differ outside axis 1");
  CHECK(error_of([&] {
          permute(x, {0, 0});
        }) == "permute: axes (0, 0) are no permutation of those of (2, 3)");
  CHECK(error_of([&] { expand(x, {2, 4}); }) == "expand: shapes (2, 3) and (2, 4) do not broadcast");
}

TEST_CASE("windows: every step sees what its formula says, and nothing outside") {
  const Tensor x = Tensor::from({1, 3, 2}, {1, 2, 3, 4, 5, 6});
  CHECK(equal(windows(x, 1, 1, 0), {1, 3, 2}, {1, 2, 3, 4, 5, 6}));
  CHECK(equal(windows(x, 2, 1, 1), {1, 3, 4}, {0, 0, 1, 2, 1, 2, 3, 4, 3, 4, 5, 6}));
  CHECK(equal(windows(x, 2, 2, 1), {1, 3, 4}, {0, 0, 3, 4, 1, 2, 5, 6, 3, 4, 0, 0}));
  CHECK(equal(windows(x, 1, 1, 9), {1, 3, 2}, {0, 0, 0, 0, 0, 0}));
  const Tensor two = Tensor::from({2, 2, 1}, {1, 2, 3, 4});  // rows of a batch do not see each other
  CHECK(equal(windows(two, 3, 1, 1), {2, 2, 3}, {0, 1, 2, 1, 2, 0, 0, 3, 4, 3, 4, 0}));
  CHECK(windows(Tensor::zeros({2, 0, 3}), 2, 1, 1).shape() == Shape{2, 0, 6});
  CHECK(error_of([&] { windows(select(x, 0, 0), 2, 1, 1); }) == "windows: x is (3, 2), wants (B, T, C)");
  CHECK(error_of([&] { windows(x, 0, 1, -1); }) ==
        "windows: width 0, dilation 1, before -1: wants at least 1, 1, 0 and at most 1073741824");
}

TEST_CASE("picking by number names the number that is out of range") {
  const Tensor table = Tensor::from({3, 2}, {1, 2, 3, 4, 5, 6});
  CHECK(equal(embedding(table, Ids({1, 2}, {2, 0})), {1, 2, 2}, {5, 6, 1, 2}));
  CHECK(equal(gather(table, Ids({3, 1}, {1, 0, 1})), {3, 1}, {2, 3, 6}));
  CHECK(error_of([&] {
          embedding(table, Ids({2}, {0, 3}));
        }) == "embedding: id 3 at place 1 is outside [0, 3)");
  CHECK(error_of([&] {
          gather(table, Ids({3, 1}, {0, 0, -1}));
        }) == "gather: index -1 at place 2 is outside [0, 2)");
}

TEST_CASE("scatter_sum adds what slots of one id have, and leaves out those of none") {
  const Tensor x = Tensor::from({2, 2, 3}, {1, 2, 4, 8, 16, 32, 1, 3, 5, 7, 9, 11});
  const Tensor y = scatter_sum(x, Ids({2, 3}, {2, 0, 2, 1, -1, 1}), 4);
  CHECK(equal(y, {2, 2, 4}, {2, 0, 5, 0, 16, 0, 40, 0, 0, 6, 0, 0, 0, 18, 0, 0}));
  // A slot that a mask hides adds nothing, whatever its id, and its score gets no gradient; nor does one of
  // id -1.
  Tensor weights = Tensor::full({1, 1, 3}, 1);
  weights.requires_grad();
  const Tensor seen = softmax(weights, Mask::of_lengths({2}));
  CHECK(equal(scatter_sum(seen, Ids({1, 3}, {1, 0, 1}), 2), {1, 1, 2}, {0.5, 0.5}));
  backward(sum(scatter_sum(weights, Ids({1, 3}, {1, -1, 1}), 2)));
  CHECK(equal(weights.grad(), {1, 1, 3}, {1, 0, 1}));
  CHECK(error_of([&] {
          scatter_sum(x, Ids({2, 3}, {0, 1, 2, 3, 4, 0}), 4);
        }) == "scatter_sum: id 4 at place 4 is neither -1 nor in [0, 4)");
  CHECK(error_of([&] {
          scatter_sum(x, Ids({2, 3}, {0, -2, 2, 3, 3, 0}), 4);
        }) == "scatter_sum: id -2 at place 1 is neither -1 nor in [0, 4)");
  CHECK(error_of([&] {
          scatter_sum(x, Ids({2, 2}, {0, 1, 2, 3}), 4);
        }) == "scatter_sum: x (2, 2, 3) and ids (2, 2): (B, T, S) and (B, S) were expected");
  CHECK(error_of([&] { scatter_sum(x, Ids({2, 3}), 0); }) == "scatter_sum: V = 0 must be at least 1");
}

TEST_CASE("products, and what they say when inner sizes differ") {
  const Tensor a = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(equal(matmul(a, transpose(a)), {2, 2}, {14, 32, 32, 77}));
  CHECK(equal(matmul(a, a, {.b = true}), {2, 2}, {14, 32, 32, 77}));
  CHECK(equal(matmul(a, a, {.a = true}), {3, 3}, {17, 22, 27, 22, 29, 36, 27, 36, 45}));
  CHECK(equal(linear(a, Tensor::from({1, 3}, {1, 1, 1}), Tensor::from({1}, {10})), {2, 1}, {16, 25}));
  CHECK(error_of([&] {
          matmul(Tensor::zeros({32, 64}), Tensor::zeros({32, 192}));
        }) == "matmul: (32, 64) x (32, 192): inner sizes 64 and 32 differ");
  CHECK(error_of([&] {
          matmul(Tensor::zeros({2, 3, 4}), Tensor::zeros({3, 4, 5}));
        }) == "matmul: (2, 3, 4) x (3, 4, 5): leading sizes differ");
  CHECK(error_of([&] { matmul(a, Tensor::zeros({3})); }) == "matmul: (2, 3) x (3): matrices were expected");
}

TEST_CASE("softmax: the golden vector, hidden slots, and rows without any") {
  const Tensor scores = Tensor::from({1, 3}, {-2, 0, real(0.5)});
  const Tensor y = softmax(scores);
  CHECK(close(y.data()[0], 0.0486, 0, 5e-5));
  CHECK(close(y.data()[1], 0.3592, 0, 5e-5));
  CHECK(close(y.data()[2], 0.5922, 0, 5e-5));
  CHECK(equal(softmax(Tensor::from({1, 2}, {1000, 1000})), {1, 2}, {0.5, 0.5}));
  const Tensor masked = softmax(Tensor::from({2, 3}, {1, 1, nan, 5, 6, 7}), Mask::of_lengths({2, 0}));
  CHECK(equal(masked, {2, 3}, {0.5, 0.5, 0, 0, 0, 0}));
  CHECK(equal(log_softmax(Tensor::from({1, 3}, {1, 1, 9}), Mask::of_bytes(1, 3, {1, 1, 0})), {1, 3},
              {-std::log(2.0), -std::log(2.0), -inf}));
}

TEST_CASE(
    "softmax: weights are 0 where their exponentials would be subnormal, their logarithms are not -inf") {
  const real end = sizeof(real) == 4 ? real(-87.4) : real(-708.4);
  const Tensor scores = Tensor::from({1, 3}, {7, 7 + end, 7 + end + real(0.2)});
  const Tensor y = softmax(scores);
  CHECK(y.data()[1] == 0);
  CHECK(y.data()[2] > 0);
  CHECK(close(log_softmax(scores).data()[1], end, eps, 0));
}

TEST_CASE("the gradient of a hidden slot is exactly 0, and finite where everything is hidden") {
  Tensor x = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
  x.requires_grad();
  const Tensor y = softmax(x, Mask::of_lengths({2, 0}));
  backward(sum(mul(y, y)));
  CHECK(x.grad().data()[2] == 0);
  for (int i = 3; i < 6; ++i) CHECK(x.grad().data()[i] == 0);
}

TEST_CASE("NaN is the largest element for max, argmax and top_k, wherever it stands") {
  const Tensor x = Tensor::from({2, 4}, {1, nan, 5, nan, nan, -inf, inf, 2});
  const Tensor largest = max(x, 1);
  for (const real value : largest.values()) CHECK(std::isnan(value));
  const Ids best = argmax(x);
  CHECK((best[0] == 1 && best[1] == 0));
  const TopK top = top_k(x, 4);
  const std::vector<int32_t> order(top.indices.values().begin(), top.indices.values().end());
  CHECK(order == std::vector<int32_t>{1, 3, 2, 0, 0, 2, 3, 1});
  CHECK(std::isnan(top.values.data()[1]));
  CHECK(top.values.data()[2] == 5);
}

TEST_CASE("what comes back to a hidden slot is not read, however it was hidden") {
  const Tensor dy = Tensor::from({1, 3}, {1, 2, nan});  // the gradient of the weights
  for (const Mask& mask : {Mask::of_lengths({2}), Mask::of_bytes(1, 3, {1, 1, 0})}) {
    Tensor x = Tensor::from({1, 3}, {0, 0, 5});
    x.requires_grad();
    backward(sum(mul(softmax(x, mask), dy)));
    CHECK(equal(x.grad(), {1, 3}, {-0.25, 0.25, 0}));
  }
}

TEST_CASE("cross entropy ignores, smooths and averages") {
  const Tensor logits = Tensor::from({2, 2}, {0, 0, 1, 3});
  const double second = std::log(1 + std::exp(-2.0));
  CHECK(close(cross_entropy(logits, Ids({2}, {0, 1})).item(), (std::log(2.0) + second) / 2, eps, 0));
  CHECK(close(cross_entropy(logits, Ids({2}, {-1, 1})).item(), second, eps, 0));
  CHECK(
      close(cross_entropy(logits, Ids({2}, {0, 1}), {.mean = false}).item(), std::log(2.0) + second, eps, 0));
  CHECK(close(cross_entropy(logits, Ids({2}, {-1, 1}), {.label_smoothing = real(0.5)}).item(), second + 0.5,
              eps, 0));
  CHECK(cross_entropy(logits, Ids({2}, {-1, -1})).item() == 0);
  CHECK(error_of([&] {
          cross_entropy(logits, Ids({2}, {0, 2}));
        }) == "cross_entropy: target 2 at place 1 is outside [0, 2)");
  CHECK(close(mse(logits, zeros_like(logits)).item(), 2.5, eps, 0));
}

TEST_CASE("norms have the moments that they promise") {
  const Tensor x = Tensor::from({1, 4}, {1, 2, 3, 6});
  const Tensor y = layer_norm(x, {}, {}, 0);
  CHECK(close(sum(y).item(), 0, 0, 4 * eps));
  CHECK(close(sum(mul(y, y)).item(), 4, 4 * eps, 0));
  CHECK(equal(rms_norm(Tensor::from({1, 2}, {3, 4}), Tensor::from({2}, {1, 2}), 0), {1, 2},
              {3 / std::sqrt(12.5), 8 / std::sqrt(12.5)}));
  CHECK(error_of([&] { layer_norm(x, Tensor::zeros({3}), {}); }) ==
        "layer_norm: gamma (3) for x (1, 4): (4) was expected");
}

}  // namespace
}  // namespace heed::tests
