// Sparse weights, walks through the slots, drawing: what they compute. Gradients are checked elsewhere.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "tests/support/close.hpp"
#include "tests/support/errors.hpp"

namespace heed::tests {
namespace {

constexpr real inf = std::numeric_limits<real>::infinity();
const real nan = std::numeric_limits<real>::quiet_NaN();
constexpr double eps = sizeof(real) == 4 ? 1e-6 : 1e-14;

bool equal(const Tensor& x, const std::vector<double>& values, double slack = eps) {
  if (x.size() != static_cast<int64_t>(values.size())) return false;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!close(x.values()[i], values[i], 0, slack)) return false;
  }
  return true;
}

bool equal(const Tensor& x, const Tensor& y, double slack = eps) {
  return equal(x, std::vector<double>(y.values().begin(), y.values().end()), slack);
}

Tensor random(const Shape& shape, double low, double high, uint64_t seed = 1) {
  Rng rng(seed);
  Tensor x = Tensor::empty(shape);
  for (int64_t i = 0; i < x.size(); ++i) x.mutable_data()[i] = static_cast<real>(rng.uniform(low, high));
  return x;
}

Tensor entmax_at(double alpha, const Tensor& scores, const Mask& mask = {}) {
  return entmax(scores, Tensor::scalar(static_cast<real>(alpha)), mask);
}

using Normalize = Tensor (*)(const Tensor&, const Mask&);
const std::vector<Normalize> all = {
    sparsemax,
    entmax15,
    [](const Tensor& x, const Mask& m) { return entmax_at(1, x, m); },
    [](const Tensor& x, const Mask& m) { return entmax_at(1.3, x, m); },
    [](const Tensor& x, const Mask& m) { return entmax_at(3, x, m); },
};

TEST_CASE("sparse: the golden vector") {
  const Tensor scores = Tensor::from({3}, {-2, 0, real(0.5)});
  CHECK(equal(sparsemax(scores), {0, 0.25, 0.75}));
  // z / 2 = (-1, 0, 0.25): tau = m - sqrt((1 - 2 var) / 2), m = 1/8, var = 1/64
  const double tau = 0.125 - std::sqrt((1 - 2.0 / 64) / 2);
  CHECK(equal(entmax15(scores), {0, tau * tau, (0.25 - tau) * (0.25 - tau)}));
  CHECK(equal(entmax15(scores), {0, 0.3260, 0.6740}, 5e-5));
  CHECK(equal(entmax_at(1, scores), {0.0486, 0.3592, 0.5922}, 5e-5));
  CHECK(sparsemax(scores).data()[0] == 0);
  CHECK(entmax15(scores).data()[0] == 0);
}

TEST_CASE("entmax: softmax at 1, entmax15 at 1.5, sparsemax at 2, and continuous between") {
  const Tensor scores = random({5, 7}, -2, 2);
  const double slack = 10 * eps;
  CHECK(equal(entmax_at(1, scores), softmax(scores), slack));
  CHECK(equal(entmax_at(1.000001, scores), softmax(scores), 1e-5));
  CHECK(equal(entmax_at(1.5, scores), entmax15(scores), slack));
  CHECK(equal(entmax_at(2, scores), sparsemax(scores), slack));
  CHECK(error_of([&] { entmax_at(0.5, scores); }) == "entmax: alpha 0.5 is below 1");
  CHECK(error_of([&] { entmax_at(nan, scores); }) == "entmax: alpha nan is below 1");
}

TEST_CASE("entmax: the gradient of alpha at 1 is the limit of those above") {
  const Tensor scores = random({2, 5}, -2, 2);
  const auto gradient = [&](double at) {
    Tensor alpha = Tensor::scalar(static_cast<real>(at));
    alpha.requires_grad();
    backward(sum(entmax(scores, alpha) * random({2, 5}, -1, 1, 2)));
    return static_cast<double>(alpha.grad().item());
  };
  CHECK(std::abs(gradient(1)) > 0.01);
  CHECK(close(gradient(1.001), gradient(1), 0.01, 0));
  CHECK(close(gradient(1 + (sizeof(real) == 4 ? 1e-3 : 1e-6)), gradient(1), 0.01, 0));
}

TEST_CASE("sparse: weights maximise what they should: no feasible neighbour is better") {
  // p . z - |p|^2 / 2 for sparsemax: p is the point of the simplex next to z
  const Tensor scores = random({1, 6}, -1, 1);
  const Tensor p = sparsemax(scores);
  const auto distance = [&](const Tensor& q) { return sum((q - scores) * (q - scores)).item(); };
  Rng rng(3);
  for (int i = 0; i < 100; ++i) {
    const Tensor other = softmax(random({1, 6}, -5, 5, static_cast<uint64_t>(i)));
    CHECK(distance(p) <= distance(p + scale(other - p, real(0.1))));
  }
}

TEST_CASE("sparse: every kind of row") {
  for (const Normalize f : all) {
    const Tensor x = random({2, 3, 5}, -2, 2);
    const Tensor y = f(x, {});
    CHECK(equal(sum(y, -1), Tensor::full({2, 3}, 1)));
    CHECK(equal(f(shift(x, 100), {}), y, 200 * eps));
    CHECK(equal(f(Tensor::full({1, 4}, 3), {}), {0.25, 0.25, 0.25, 0.25}));
    CHECK(equal(f(Tensor::full({1, 1}, -7), {}), {1}));
    CHECK(equal(f(Tensor::from({1, 2}, {1000, -1000}), {}), {1, 0}));
    CHECK(equal(f(Tensor::from({1, 3}, {-inf, 1, 1}), {}), {0, 0.5, 0.5}));
    // lengths and bytes: as if the hidden slots were not there
    const Tensor hidden = f(x, Mask::of_lengths({3, 0}));
    CHECK(equal(slice(slice(hidden, 0, 0, 1), 2, 0, 3), f(slice(slice(x, 0, 0, 1), 2, 0, 3), {})));
    const Tensor unseen = slice(hidden, 0, 1, 2);
    for (const real w : unseen.values()) CHECK(w == 0);
    const Tensor holes = f(x, Mask::of_bytes(2, 5, {0, 1, 1, 1, 1, 1, 1, 1, 1, 0}));
    CHECK(equal(slice(slice(holes, 0, 0, 1), 2, 1, 5), f(slice(slice(x, 0, 0, 1), 2, 1, 5), {})));
    CHECK(holes.data()[0] == 0);
    // NaN stays in its row, and is not seen where it is hidden
    Tensor poisoned = x.clone();
    poisoned.mutable_data()[1] = nan;
    const Tensor z = f(poisoned, {});
    CHECK(std::isnan(z.data()[4]));
    CHECK(equal(slice(z, 1, 1, 3), slice(y, 1, 1, 3)));
    CHECK(std::isnan(f(Tensor::from({1, 2}, {inf, 0}), {}).data()[1]));
    CHECK(error_of([&] { f(x, Mask::of_lengths({1})); }) != "");
  }
}

TEST_CASE("sparse: hidden slots and those without weight have gradient exactly 0") {
  for (const Normalize f : all) {
    Tensor x = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
    x.requires_grad();
    backward(sum(f(x, Mask::of_lengths({2, 0})) * Tensor::from({2, 3}, {3, nan, nan, 1, 1, 1})));
    const Tensor g = x.grad();
    for (int64_t i = 2; i < 6; ++i) CHECK(g.data()[i] == 0);
  }
  Tensor x = Tensor::from({1, 3}, {-2, 0, real(0.5)});
  x.requires_grad();
  backward(sum(sparsemax(x) * Tensor::from({1, 3}, {5, 1, 2})));
  CHECK(equal(x.grad(), {0, -0.5, 0.5}));
}

TEST_CASE("cumsum") {
  const Tensor x = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(equal(cumsum(x, 1), {1, 3, 6, 4, 9, 15}));
  CHECK(equal(cumsum(x, -1, true), {0, 1, 3, 0, 4, 9}));
  CHECK(equal(cumsum(x, 0), {1, 2, 3, 5, 7, 9}));
}

// The probability that query t stops at slot s, by trying all ways to walk.
void walk(const Tensor& p, int64_t t, int64_t from, double chance, Tensor& alignment) {
  if (t == p.size(1)) return;
  const int64_t slots = p.size(2);
  double on = chance;
  for (int64_t s = from; s < slots; ++s) {
    const auto stop = static_cast<double>(p.data()[t * slots + s]);
    alignment.mutable_data()[t * slots + s] += static_cast<real>(on * stop);
    walk(p, t + 1, s, on * stop, alignment);
    on *= 1 - stop;
  }
}

TEST_CASE("monotonic: what comes of trying all ways to walk through the slots") {
  const Tensor p = random({1, 3, 4}, 0.05, 0.95);
  const Tensor first = Tensor::from({1, 4}, {real(0.5), real(0.25), 0, real(0.125)});
  Tensor expected = Tensor::zeros({1, 3, 4});
  for (int64_t s = 0; s < 4; ++s) walk(p, 0, s, static_cast<double>(first.data()[s]), expected);
  CHECK(equal(monotonic(p, first), expected));
  CHECK(equal(monotonic_parallel(p, first), expected));
}

TEST_CASE("monotonic: steps, certainty, and what a query that ran past the end leaves") {
  const Tensor start = Tensor::from({1, 4}, {1, 0, 0, 0});
  const Tensor p = random({1, 3, 4}, 0.05, 0.95);
  const Tensor whole = monotonic(p, start);
  const Tensor one = monotonic(slice(p, 1, 0, 1), start);
  CHECK(equal(monotonic(slice(p, 1, 1, 3), select(one, 1, 0)), slice(whole, 1, 1, 3)));
  // 0 or 1: the walk is certain. Query 0 stops at slot 1, query 1 there again, query 2 nowhere, query 3 too.
  const Tensor certain = Tensor::from({1, 4, 4}, {0, 1, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1});
  CHECK(equal(monotonic(certain, start), {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(error_of([&] {
          monotonic(p, Tensor::zeros({1, 3}));
        }) == "monotonic: p (1, 3, 4) and first (1, 3): (B, T, S) and (B, S) were expected");
}

TEST_CASE("monotonic: the parallel form is not stable") {
  const Tensor start = Tensor::from({1, 3}, {1, 0, 0});
  const Tensor certain = Tensor::from({1, 1, 3}, {1, 1, 1});
  CHECK(equal(monotonic(certain, start), {1, 0, 0}));
  CHECK(std::isnan(monotonic_parallel(certain, start).data()[1]));
  // 1 - p = 0.01 for 400 slots: the product is 1e-800
  const Tensor p = Tensor::full({1, 2, 400}, real(0.99));
  Tensor zero = Tensor::zeros({1, 400});
  zero.mutable_data()[0] = 1;
  CHECK(close(sum(monotonic(p, zero)).item(), 2, 0, 2 * eps));
  CHECK(std::isnan(sum(monotonic_parallel(p, zero)).item()));
}

TEST_CASE("one_hot: a row per id; of -1 a row of zeros") {
  const Tensor y = one_hot(Ids({1, 3}, {2, -1, 0}), 3);
  CHECK(y.shape() == Shape{1, 3, 3});
  CHECK(equal(y, {0, 0, 1, 0, 0, 0, 1, 0, 0}));
  CHECK(error_of([] { one_hot(Ids({2}, {0, 3}), 3); }) == "one_hot: id 3 at place 1 is outside [-1, 3)");
}

TEST_CASE("sample: slots come as often as their weights say") {
  Rng rng(5);
  constexpr int n = 20'000;
  int counts[4] = {};
  const Tensor weights = Tensor::from({1, 4}, {1, 0, 2, 5});  // need not sum to 1
  for (int i = 0; i < n; ++i) ++counts[sample(weights, rng)[0]];
  const double odds[] = {0.125, 0, 0.25, 0.625};
  for (int s = 0; s < 4; ++s) {
    CHECK(close(counts[s], n * odds[s], 0, 5 * std::sqrt(n * odds[s] * (1 - odds[s]))));
  }
  const Ids rows = sample(Tensor::from({2, 2, 2}, {0, 0, 1, 0, 0, 1, 0, 0}), rng);
  CHECK(rows.shape() == Shape{2, 2});
  CHECK((rows[0] == -1 && rows[1] == 0 && rows[2] == 1 && rows[3] == -1));
  CHECK(error_of([&] {
          sample(Tensor::from({1, 2}, {1, nan}), rng);
        }) == "sample: weight nan at place 1 of row 0 is negative or not finite");
}

}  // namespace
}  // namespace heed::tests
