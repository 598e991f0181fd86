// Each scorer's formula, written out on plain numbers, its parameters' names and its errors.
#include "layers/scorers.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "layers/scorers/additive.hpp"
#include "layers/scorers/bilinear.hpp"
#include "layers/scorers/concat.hpp"
#include "layers/scorers/cosine.hpp"
#include "layers/scorers/dot.hpp"
#include "layers/scorers/location.hpp"
#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

using Vector = std::vector<double>;

Vector row(const Tensor& x, int64_t b, int64_t i) {
  const real* at = x.data() + (b * x.size(1) + i) * x.size(2);
  return {at, at + x.size(2)};
}

// W x for a weight (O, I).
Vector times(const Tensor& weight, const Vector& x) {
  Vector y(static_cast<size_t>(weight.size(0)));
  for (size_t o = 0; o < y.size(); ++o) {
    for (size_t i = 0; i < x.size(); ++i) y[o] += static_cast<double>(weight.data()[o * x.size() + i]) * x[i];
  }
  return y;
}

double dot(const Vector& a, const Vector& b) {
  double total = 0;
  for (size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}

// Scores of queries of size 4 and keys of size `key_size` are formula(q, k).
void check_formula(const Scorer& scorer, int64_t key_size,
                   const std::function<double(const Vector&, const Vector&)>& formula) {
  Rng rng(21);
  const Tensor query = random_tensor({2, 3, 4}, rng);
  const Tensor keys = random_tensor({2, 5, key_size}, rng);
  const Tensor scores = scorer(query, scorer.prepare(keys, keys));
  REQUIRE(scores.shape() == Shape{2, 3, 5});
  for (int64_t b = 0; b < 2; ++b) {
    for (int64_t t = 0; t < 3; ++t) {
      for (int64_t s = 0; s < 5; ++s) {
        const double score = static_cast<double>(scores.data()[(b * 3 + t) * 5 + s]);
        CHECK(std::abs(score - formula(row(query, b, t), row(keys, b, s))) <= tolerance);
      }
    }
  }
}

TEST_CASE("additive: v . tanh(W q + U k)") {
  Rng rng(1);
  const Additive scorer({.query = 4, .key = 3, .hidden = 6}, rng);
  CHECK(names_of(scorer) == Names{"query.weight", "key.weight", "v"});
  CHECK(scorer.query.weight.shape() == Shape{6, 4});
  CHECK(scorer.key.weight.shape() == Shape{6, 3});
  check_formula(scorer, 3, [&](const Vector& q, const Vector& k) {
    const Vector wq = times(scorer.query.weight, q);
    const Vector uk = times(scorer.key.weight, k);
    double score = 0;
    for (size_t a = 0; a < 6; ++a)
      score += static_cast<double>(scorer.v.data()[a]) * std::tanh(wq[a] + uk[a]);
    return score;
  });
}

TEST_CASE("dot: q . k, and divided by the root of their size") {
  Rng rng(1);
  const ScorerSizes sizes{.query = 4, .key = 4, .hidden = 0};
  CHECK(names_of(Dot(sizes, rng)).empty());
  check_formula(Dot(sizes, rng), 4, dot);
  check_formula(ScaledDot(sizes, rng), 4, [](const Vector& q, const Vector& k) { return dot(q, k) / 2; });
  CHECK(error_of([&] { Dot({.query = 64, .key = 128, .hidden = 0}, rng); }) ==
        "dot: query size 64 and key size 128 differ; take additive or bilinear");
  CHECK(error_of([&] { ScaledDot({.query = 64, .key = 128, .hidden = 0}, rng); }) ==
        "scaled_dot: query size 64 and key size 128 differ; take additive or bilinear");
}

TEST_CASE("bilinear: q . W k") {
  Rng rng(1);
  const Bilinear scorer({.query = 4, .key = 3, .hidden = 0}, rng);
  CHECK(names_of(scorer) == Names{"key.weight"});
  CHECK(scorer.key.weight.shape() == Shape{4, 3});
  check_formula(scorer, 3,
                [&](const Vector& q, const Vector& k) { return dot(q, times(scorer.key.weight, k)); });
}

TEST_CASE("concat: v . tanh(W [q; k]), and w . [q; k], where softmax loses the query") {
  Rng rng(1);
  const auto join = [](Vector q, const Vector& k) {
    q.insert(q.end(), k.begin(), k.end());
    return q;
  };
  const Concat scorer({.query = 4, .key = 3, .hidden = 6}, rng);
  CHECK(names_of(scorer) == Names{"weight", "v"});
  CHECK(scorer.weight.shape() == Shape{6, 7});
  check_formula(scorer, 3, [&](const Vector& q, const Vector& k) {
    const Vector hidden = times(scorer.weight, join(q, k));
    double score = 0;
    for (size_t a = 0; a < 6; ++a) score += static_cast<double>(scorer.v.data()[a]) * std::tanh(hidden[a]);
    return score;
  });

  const ConcatLinear plain({.query = 4, .key = 3, .hidden = 0}, rng);
  CHECK(names_of(plain) == Names{"weight"});
  check_formula(plain, 3,
                [&](const Vector& q, const Vector& k) { return times(plain.weight, join(q, k))[0]; });
  const Tensor query = random_tensor({1, 2, 4}, rng), keys = random_tensor({1, 5, 3}, rng);
  const Tensor weights = softmax(plain(query, plain.prepare(keys, keys)));
  CHECK(close_all(select(weights, 1, 0), select(weights, 1, 1)));
}

TEST_CASE("cosine: softplus(w . q + b) cos(q, k), whatever the lengths of q and k") {
  Rng rng(1);
  const Cosine scorer({.query = 4, .key = 4, .hidden = 0}, rng);
  CHECK(names_of(scorer) == Names{"sharpness.weight", "sharpness.bias"});
  CHECK(scorer.sharpness.bias.data()[0] == 1);
  const auto beta = [&](const Vector& q) {
    return std::log1p(std::exp(times(scorer.sharpness.weight, q)[0] + 1));
  };
  check_formula(scorer, 4, [&](const Vector& q, const Vector& k) {
    return beta(q) * dot(q, k) / std::sqrt(dot(q, q) * dot(k, k));
  });
  const Tensor query = random_tensor({1, 1, 4}, rng), keys = random_tensor({1, 3, 4}, rng);
  const Tensor far = scale(keys, 100);
  CHECK(close_all(scorer(query, scorer.prepare(far, far)), scorer(query, scorer.prepare(keys, keys))));
  const Tensor nothing = Tensor::zeros({1, 3, 4});
  CHECK(all_zero(scorer(query, scorer.prepare(nothing, nothing))));
  CHECK(error_of([&] { Cosine({.query = 4, .key = 3, .hidden = 0}, rng); }) ==
        "cosine: query size 4 and key size 3 differ; take additive or bilinear");
}

TEST_CASE("location: w_s . q, whatever the keys hold") {
  Rng rng(1);
  const Location scorer({.query = 4, .key = 3, .hidden = 0, .slots = 6}, rng);
  CHECK(names_of(scorer) == Names{"weight"});
  CHECK(scorer.weight.shape() == Shape{6, 4});
  const Tensor query = random_tensor({2, 3, 4}, rng), keys = random_tensor({2, 5, 3}, rng);
  const Tensor scores = scorer(query, scorer.prepare(keys, keys));
  REQUIRE(scores.shape() == Shape{2, 3, 5});
  for (int64_t row = 0; row < 6; ++row) {
    const Vector wq = times(scorer.weight, heed::tests::row(query, row / 3, row % 3));
    for (int64_t s = 0; s < 5; ++s)
      CHECK(std::abs(static_cast<double>(scores.data()[row * 5 + s]) - wq[static_cast<size_t>(s)]) <=
            tolerance);
  }
  const Tensor others = random_tensor({2, 5, 3}, rng);
  CHECK(close_all(scorer(query, scorer.prepare(others, others)), scores, 0));
  const Tensor seven = random_tensor({2, 7, 3}, rng);
  CHECK(error_of([&] { scorer(query, scorer.prepare(seven, seven)); }) ==
        "location: a memory of 7 slots; this scorer knows 6 places");
  CHECK(error_of([&] { Location({.query = 4, .key = 3, .hidden = 0}, rng); }) ==
        "location: the most slots that a memory will have must be at least 1, not 0");
}

TEST_CASE("scorers: made by name, and an unknown name says which there are") {
  Rng rng(1);
  for (const KnownScorer& known : known_scorers()) {
    CHECK(make_scorer(known.name, {.query = 4, .key = 4, .hidden = 4, .slots = 4}, rng) != nullptr);
    CHECK(std::string(known.formula) != "");
  }
  CHECK(error_of([&] {
          make_scorer("cosin", {.query = 4, .key = 4, .hidden = 4}, rng);
        }).starts_with("no scorer \"cosin\"; there are additive, dot, scaled_dot"));
}

}  // namespace
}  // namespace heed::tests
