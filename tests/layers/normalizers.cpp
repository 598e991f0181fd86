// Each normalizer's formula on plain numbers, its limits and errors; what teaches and measures hard
// attention.
#include "layers/normalizers.hpp"

#include <doctest/doctest.h>

#include "layers/hard.hpp"
#include "layers/normalizers/entmax.hpp"
#include "layers/normalizers/local.hpp"
#include "layers/normalizers/monotonic.hpp"
#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

Tensor row(const std::vector<double>& values) {
  const std::vector<real> numbers(values.begin(), values.end());
  return Tensor::from({1, 1, static_cast<int64_t>(values.size())}, numbers);
}

std::unique_ptr<Normalizer> make(const char* name, const NormalizerSizes& sizes = {}) {
  Rng rng(1);
  return make_normalizer(name, sizes, rng);
}

Weights apply(const char* name, const Tensor& scores, const NormalizerSizes& sizes = {},
              const Moment& moment = {}, const Mask& mask = {}) {
  return (*make(name, sizes))(scores, mask, moment);
}

const std::vector<double> golden = {-2, 0, 0.5};

TEST_CASE("normalizers: made by name, and an unknown name says which there are") {
  for (const KnownNormalizer& known : known_normalizers()) {
    CHECK(make(known.name, {.query = 2, .hidden = 2}) != nullptr);
    CHECK(std::string(known.formula) != "");
  }
  CHECK(
      error_of([] { make("sofmax"); }).starts_with("no normalizer \"sofmax\"; there are softmax, sparsemax"));
}

TEST_CASE("normalizers: the golden vector") {
  const double total = std::exp(-2.0) + 1 + std::exp(0.5);
  CHECK(close_all(apply("softmax", row(golden)).weights,
                  row({std::exp(-2.0) / total, 1 / total, std::exp(0.5) / total})));
  CHECK(close_all(apply("softmax", row(golden)).weights, row({0.0486, 0.3592, 0.5922}), 5e-5));
  CHECK(close_all(apply("sparsemax", row(golden)).weights, row({0, 0.25, 0.75})));
  CHECK(close_all(apply("entmax15", row(golden)).weights, row({0, 0.3260, 0.6740}), 5e-5));
  CHECK(close_all(apply("entmax", row(golden)).weights, apply("entmax15", row(golden)).weights));
  for (const char* name : {"reinforce", "straight_through", "gumbel"}) {
    CHECK(close_all(apply(name, row(golden)).weights, row({0, 0, 1}), 0));
    CHECK(close_all(apply(name, row(golden)).probabilities, apply("softmax", row(golden)).weights));
  }
}

TEST_CASE(
    "normalizers: a temperature divides scores; towards 0 all go to the best, above all to equal shares") {
  for (const char* name :
       {"softmax", "sparsemax", "entmax15", "entmax", "reinforce", "straight_through", "gumbel"}) {
    CAPTURE(name);
    CHECK(close_all(apply(name, row(golden), {.temperature = real(0.01)}).weights, row({0, 0, 1})));
    CHECK(error_of([&] { make(name, {.temperature = 0}); }) ==
          std::string(name) + ": temperature 0 is not above 0");
    CHECK(error_of([&] { make(name, {.temperature = std::nanf("")}); }) != "");
  }
  for (const char* name : {"softmax", "sparsemax", "entmax15", "entmax"}) {
    const Tensor half = apply(name, row({-1, 0, 0.25})).weights;
    CHECK(close_all(apply(name, row(golden), {.temperature = 2}).weights, half));
    CHECK(close_all(apply(name, row(golden), {.temperature = 1e5}).weights,
                    Tensor::full({1, 1, 3}, real(1) / 3), 1e-4));
  }
}

TEST_CASE("entmax: alpha is learned between softmax's and sparsemax's") {
  Rng rng(1);
  const Entmax entmax({}, rng);
  CHECK(names_of(entmax) == Names{"shape"});
  CHECK(close_all(entmax.alpha(), Tensor::full({1}, real(1.5))));
  Tensor shape = entmax.shape;
  shape.assign(std::vector<real>{-200});
  CHECK(close_all(entmax(row(golden), {}, {}).weights, apply("softmax", row(golden)).weights));
  shape.assign(std::vector<real>{200});
  CHECK(close_all(entmax(row(golden), {}, {}).weights, apply("sparsemax", row(golden)).weights));
}

TEST_CASE("local_m: softmax in a window that moves with the query") {
  const Tensor scores = stack({row(golden).reshape({3}), row({1, 2, 3}).reshape({3})}, 0).reshape({1, 2, 3});
  const NormalizerSizes sizes{.window = 1};
  const double a = 1 / (1 + std::exp(2.0)), total = std::exp(1.0) + std::exp(2.0) + std::exp(3.0);
  const auto f = [](double x) { return static_cast<real>(x); };
  const Tensor expected = Tensor::from({1, 2, 3}, {f(a), f(1 - a), 0, f(std::exp(1.0) / total),
                                                   f(std::exp(2.0) / total), f(std::exp(3.0) / total)});
  CHECK(close_all(apply("local_m", scores, sizes).weights, expected));
  Past past;
  past.steps = 3;  // queries 3 and 4: slot 2 alone, then nothing
  const Tensor later = apply("local_m", scores, sizes, {.past = past}).weights;
  CHECK(close_all(later, Tensor::from({1, 2, 3}, {0, 0, 1, 0, 0, 0}), 0));
  CHECK(error_of([] { make("local_m", {.window = -1}); }) == "local_m: window -1 is below 0");
}

TEST_CASE("local_p: softmax in a window around S sigmoid(v . tanh(W q)), times a Gaussian") {
  Rng rng(4);
  const LocalP local({.query = 2, .hidden = 3, .window = 2}, rng);
  CHECK(names_of(local) == Names{"position.weight", "v"});
  const Tensor query = random_tensor({2, 3, 2}, rng), scores = random_tensor({2, 3, 9}, rng);
  const int32_t lengths[] = {9, 5};
  const Tensor weights = local(scores, Mask::of_lengths(lengths), {.query = query}).weights;
  for (int64_t i = 0; i < 6; ++i) {
    double energy = 0;
    for (int64_t a = 0; a < 3; ++a) {
      const real* w = local.position.weight.data() + 2 * a;
      const real* q = query.data() + 2 * i;
      energy +=
          static_cast<double>(local.v.data()[a]) * std::tanh(static_cast<double>(w[0] * q[0] + w[1] * q[1]));
    }
    const int n = lengths[i / 3];
    const double p = n / (1 + std::exp(-energy));
    const real* score = scores.data() + 9 * i;
    double total = 0;
    for (int s = 0; s < n; ++s) {
      if (std::abs(s - p) <= 2) total += std::exp(static_cast<double>(score[s]));
    }
    for (int s = 0; s < 9; ++s) {
      const bool inside = s < n && std::abs(s - p) <= 2;
      const double sigma = 1;  // D / 2
      const double expected = inside ? std::exp(static_cast<double>(score[s])) / total *
                                           std::exp(-(s - p) * (s - p) / (2 * sigma * sigma))
                                     : 0;
      CHECK(std::abs(static_cast<double>(weights.data()[9 * i + s]) - expected) <= tolerance);
    }
  }
  CHECK(error_of([] { make("local_p", {.query = 2, .hidden = 2, .window = 0}); }) ==
        "local_p: window 0 is not above 0");
  CHECK(error_of([] { make("local_p"); }) == "Linear: sizes in 0, out 0 must be at least 1");
  CHECK(error_of([&] { local(scores, {}, {}); }) ==
        "local_p: there is no query to predict the position from");
}

TEST_CASE("monotonic: p_s times the probability to come by; a hidden slot is passed by") {
  const auto p = [](double score) { return 1 / (1 + std::exp(4 - score)); };
  const double a = p(3), b = p(5), c = p(4);
  const Tensor scores = row({3, 5, 4});
  CHECK(close_all(apply("monotonic", scores).weights, row({a, (1 - a) * b, (1 - a) * (1 - b) * c})));
  const Mask second = Mask::of_bytes(1, 3, {1, 0, 1});
  CHECK(close_all(apply("monotonic", scores, {}, {}, second).weights, row({a, 0, (1 - a) * c})));
  Past past;
  past.see(row({0, 0.5, 0.25}));
  CHECK(close_all(apply("monotonic", scores, {}, {.past = past}).weights,
                  row({0, 0.5 * b, (0.5 * (1 - b) + 0.25) * c})));
  CHECK(names_of(*make("monotonic")) == Names{"r"});
  past = {};
  past.see(row({1, 0}));
  CHECK(error_of([&] {
          apply("monotonic", scores, {}, {.past = past});
        }).starts_with("monotonic: p (1, 1, 3)"));
}

TEST_CASE("monotonic_hard: the first slot that is likelier than not, from the last choice on") {
  const Tensor scores = Tensor::from({1, 4, 3}, {3, 5, 9, 9, 3, 5, 9, 5, 5, 3, 3, 3});
  Past past;
  const Weights seen = apply("monotonic_hard", scores);
  CHECK(close_all(seen.weights, Tensor::from({1, 4, 3}, {0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0}), 0));
  CHECK(close_all(seen.probabilities, apply("monotonic", scores).weights));
  past.see(seen.weights);  // the last found none: so do all after it
  CHECK(all_zero(apply("monotonic_hard", scores, {}, {.past = past}).weights));
  past = {};
  past.see(row({0, 0, 1}));
  CHECK(close_all(apply("monotonic_hard", row({9, 9, 9}), {}, {.past = past}).weights, row({0, 0, 1}), 0));
  Rng one(3), other(3);
  CHECK(close_all(apply("monotonic_hard", scores, {}, {.pass = {.train = true, .rng = &one}}).weights,
                  apply("monotonic", scores, {}, {.pass = {.train = true, .rng = &other}}).weights, 0));
}

TEST_CASE("monotonic: training adds a standard normal number before the sigmoid") {
  Rng rng(8);
  const Tensor scores = Tensor::full({2000, 1, 1}, 4);
  const Tensor p = apply("monotonic", scores, {}, {.pass = {.train = true, .rng = &rng}}).weights;
  const Tensor energy = log(p / shift(neg(p), 1));
  const double m = static_cast<double>(mean(energy).item());
  CHECK(std::abs(m) < 5 / std::sqrt(2000.0));
  CHECK(std::abs(static_cast<double>(mean(energy * energy).item()) - 1) < 5 * std::sqrt(2 / 2000.0));
}

// What share of n draws fell on each slot, of one row of scores and then rows of the same.
Tensor shares(const char* name, const NormalizerSizes& sizes, int64_t n, uint64_t seed) {
  Rng rng(seed);
  const Tensor scores = expand(row(golden), {n, 1, 3});
  return mean(apply(name, scores, sizes, {.pass = {.train = true, .rng = &rng}}).weights, 0);
}

TEST_CASE("reinforce and gumbel: in training slots come as often as the probabilities say") {
  constexpr int64_t n = 20'000;
  const Tensor p = apply("softmax", row(golden)).weights.reshape({1, 3});
  const double slack = 5 * std::sqrt(0.25 / n);
  CHECK(close_all(shares("reinforce", {}, n, 1), p, slack));
  CHECK(close_all(shares("gumbel", {.temperature = real(0.001)}, n, 2), p, slack));
  Rng rng(3);
  const Moment moment{.pass = {.train = true, .rng = &rng}};
  const Tensor drawn = apply("reinforce", expand(row(golden), {50, 1, 3}), {}, moment).weights;
  for (const real w : drawn.values()) CHECK((w == 0 || w == 1));
  CHECK_FALSE(drawn.needs_grad());
  CHECK(all_zero(apply("reinforce", row(golden), {}, moment, Mask::of_lengths({0})).weights));
  const Tensor soft = apply("gumbel", row(golden), {}, moment).weights;
  for (const real w : soft.values()) CHECK((w > 0 && w < 1));
  for (const char* name : {"reinforce", "gumbel", "monotonic"}) {
    CHECK(error_of([&] { apply(name, row(golden), {}, {.pass = {.train = true}}); }) ==
          std::string(name) + ": training needs a generator, Pass{.train = true, .rng = &rng}");
  }
}

TEST_CASE("straight_through: one-hot forward, softmax's gradient backward") {
  const auto gradient = [](const char* name) {
    Tensor scores = row(golden);
    scores.requires_grad();
    backward(probe(apply(name, scores, {.temperature = 2}, {}, Mask::of_lengths({2})).weights));
    return scores.grad();
  };
  CHECK(close_all(gradient("straight_through"), gradient("softmax")));
  CHECK(gradient("straight_through").data()[2] == 0);
  CHECK(std::abs(gradient("softmax").data()[0]) > real(0.01));
}

TEST_CASE("hard: a NaN is no choice") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(error_of([&] { apply("reinforce", row({0, nan})); }).starts_with("most_probable: NaN at slot"));
}

TEST_CASE("hard: entropy and log-probability") {
  const double u = 0.25 * std::log(0.25);
  const Tensor h =
      entropy(stack({row({0.5, 0.25, 0.25}), row({0, 1, 0}), row({0, 0, 0})}, 0).reshape({3, 3}));
  CHECK(close_all(h, Tensor::from({3}, {static_cast<real>(-0.5 * std::log(0.5) - 2 * u), 0, 0})));
  Tensor p = Tensor::from({2, 3}, {real(0.5), real(0.25), real(0.25), 0, 1, 0});
  p.requires_grad();
  const Tensor chosen = Tensor::from({2, 3}, {0, 1, 0, 0, 0, 0});
  const Tensor log_p = log_probability({{}, chosen, p});
  CHECK(close_all(log_p, Tensor::from({2}, {static_cast<real>(std::log(0.25)), 0})));
  backward(sum(log_p) + sum(entropy(p)));
  const Tensor gradient = p.grad();
  for (const real g : gradient.values()) CHECK(std::isfinite(g));
}

TEST_CASE("hard: REINFORCE's loss has, over all choices, the gradient of the expected reward") {
  const double rewards[] = {1, -2, 0.5};
  const auto probabilities = [](const Tensor& x) { return softmax(x); };
  Tensor scores = Tensor::from({1, 1, 3}, {1, 0, real(0.5)});
  scores.requires_grad();
  const Tensor odds = probabilities(scores).detach();
  for (const double baseline : {0.0, 0.7}) {
    Tensor estimate = Tensor::zeros({1, 1, 3});
    for (int32_t s = 0; s < 3; ++s) {
      scores.zero_grad();
      const Tensor p = probabilities(scores);
      ReinforceLoss loss{.baseline = static_cast<real>(baseline)};
      backward(loss(log_probability({{}, one_hot(Ids({1, 1}, {s}), 3), p}), entropy(p),
                    Tensor::full({1, 1}, static_cast<real>(rewards[s]))));
      CHECK(std::abs(static_cast<double>(loss.baseline) - (0.9 * baseline + 0.1 * rewards[s])) < 1e-6);
      estimate = estimate + scale(scores.grad(), odds.data()[s]);
    }
    scores.zero_grad();
    backward(neg(sum(probabilities(scores) * row({rewards[0], rewards[1], rewards[2]}))));
    CHECK(close_all(estimate, scores.grad()));
  }
}

TEST_CASE("hard: REINFORCE's loss in numbers, and what does not fit") {
  ReinforceLoss loss{.reward_weight = 2, .entropy_weight = real(0.5), .baseline = 1};
  const Tensor log_p = Tensor::from({2, 2}, {-1, -2, -3, 0}), h = Tensor::from({2, 2}, {1, 0, 0, 2});
  // -1/2 (2 (3 - 1) (-1 - 2) + 2 (-1 - 1) (-3 + 0) + 0.5 (1 + 2))
  CHECK(close_all(loss(log_p, h, Tensor::from({2, 1}, {3, -1})), Tensor::scalar(real(-0.75))));
  CHECK(std::abs(loss.baseline - real(1)) < real(1e-6));  // 0.9 1 + 0.1 (3 - 1) / 2
  CHECK(error_of([&] {
          loss(log_p, h, Tensor::zeros({2, 2, 2}));
        }) == "ReinforceLoss: reward (2, 2, 2) does not fit log-probabilities (2, 2)");
}

TEST_CASE("hard: the exact marginal, stable where likelihoods underflow") {
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor weights = row({0.5, 0.25, 0.25});
  const auto marginal = [](const Tensor& w, const Tensor& l) {
    return static_cast<double>(log_marginal(w, l).item());
  };
  const double exact = std::log(0.5 * std::exp(-1.0) + 0.25 * std::exp(-2.0) + 0.25 * std::exp(-3.0));
  CHECK(std::abs(marginal(weights, row({-1, -2, -3})) - exact) < tolerance);
  CHECK(std::abs(marginal(weights, row({-2001, -2002, -2003})) - (exact - 2000)) < 2000 * tolerance);
  CHECK(std::abs(marginal(row({0, 0.5, 0.5}), row({500, -1, -inf})) - (std::log(0.5) - 1)) < tolerance);
  CHECK(marginal(row({0, 0, 0}), row({1, 2, 3})) == -inf);
  CHECK(marginal(weights, row({-inf, -inf, -inf})) == -inf);
  Tensor w = row({0, 0, 0}), l = row({-inf, 1, 2});
  w.requires_grad();
  l.requires_grad();
  backward(sum(log_marginal(w, l)));
  CHECK(all_zero(w.grad()));
  CHECK(all_zero(l.grad()));
  CHECK(error_of([&] {
          log_marginal(w, row({1, 2}));
        }) == "log_marginal: weights (1, 1, 3) and log_p (1, 1, 2) differ in shape");
}

}  // namespace
}  // namespace heed::tests
