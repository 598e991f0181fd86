// Coverage, and the losses that say where attention should look, against loops over plain numbers.
#include "layers/attention_losses.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "layers/coverage.hpp"
#include "layers/normalizers/softmax.hpp"
#include "layers/scorers/all.hpp"
#include "tests/layers/common.hpp"
#include "tests/support/close.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, T = 4, S = 5;
const std::vector<int32_t> queries{4, 2}, slots{3, 5};
const Extent extent{.queries = queries, .slots = slots};

// Weights of T queries over S slots, 0 beyond each row's slots.
Tensor some_weights() {
  Rng rng(3);
  return softmax(scale(random_tensor({B, T, S}, rng), 3), Mask::of_lengths(slots));
}

// a_ts of row b, as plain numbers.
double at(const Tensor& a, int64_t b, int64_t t, int64_t s) {
  return static_cast<double>(a.data()[(b * T + t) * S + s]);
}

bool is(const Tensor& loss, double expected) {
  return loss.rank() == 0 && close(static_cast<double>(loss.item()), expected, tolerance, tolerance);
}

TEST_CASE("coverage: with the additive scorer it is eq. 11 of See et al., written out") {
  constexpr int64_t A = 4, Q = 3, K = 2;
  Rng rng(1);
  const Additive scorer({.query = Q, .key = K, .hidden = A}, rng);
  const Coverage coverage(scorer, K, rng);
  const Tensor keys = random_tensor({1, S, K}, rng), query = random_tensor({1, T, Q}, rng);
  const Memory memory = scorer.prepare(keys, keys, Mask::of_lengths({4}));
  Past past{.keep_coverage = true};
  std::vector<double> c(S, 0);
  for (int64_t t = 0; t < T; ++t) {
    const Attended seen = attend(select(query, 1, t), coverage(memory, past), scorer, Softmax(), {}, &past);
    const auto number = [](const Tensor& x, int64_t i) { return static_cast<double>(x.data()[i]); };
    std::vector<double> e(4);
    double total = 0;
    for (int64_t s = 0; s < 4; ++s) {
      double score = 0;
      for (int64_t a = 0; a < A; ++a) {
        double inner = number(coverage.weight, a) * c[static_cast<size_t>(s)];
        for (int64_t q = 0; q < Q; ++q)
          inner += number(scorer.query.weight, a * Q + q) * number(query, t * Q + q);
        for (int64_t k = 0; k < K; ++k)
          inner += number(scorer.key.weight, a * K + k) * number(keys, s * K + k);
        score += number(scorer.v, a) * std::tanh(inner);
      }
      total += e[static_cast<size_t>(s)] = std::exp(score);
    }
    for (int64_t s = 0; s < S; ++s) {
      const double expected = s < 4 ? e[static_cast<size_t>(s)] / total : 0;
      CHECK(close(number(seen.weights, s), expected, tolerance, tolerance));
      c[static_cast<size_t>(s)] += expected;
    }
  }
  CHECK(past.steps == T);
}

TEST_CASE("coverage: nothing before the first query, w_c c_s in the keys after it") {
  Rng rng(2);
  const Coverage coverage(Dot({.query = 3, .key = 3, .hidden = 0}, rng), 3, rng);
  const Memory memory{random_tensor({B, S, 3}, rng), random_tensor({B, S, 2}, rng), Mask::of_lengths({3, 5})};
  Past past{.keep_coverage = true};
  CHECK(coverage(memory, past).keys.data() == memory.keys.data());
  past.see(some_weights());
  const Memory covered = coverage(memory, past);
  CHECK(covered.values.data() == memory.values.data());
  CHECK(covered.mask.visible(0, 0, S) == 3);
  for (int64_t b = 0; b < B; ++b) {
    for (int64_t s = 0; s < S; ++s) {
      double c = 0;
      for (int64_t t = 0; t < T; ++t) c += at(some_weights(), b, t, s);
      for (int64_t k = 0; k < 3; ++k) {
        const int64_t i = (b * S + s) * 3 + k;
        const double expected =
            static_cast<double>(memory.keys.data()[i]) + static_cast<double>(coverage.weight.data()[k]) * c;
        CHECK(close(static_cast<double>(covered.keys.data()[i]), expected, tolerance, tolerance));
      }
    }
  }
  const Coverage wide(Dot({.query = 4, .key = 4, .hidden = 0}, rng), 4, rng);
  CHECK(error_of([&] { static_cast<void>(wide(memory, past)); }) == "Coverage: keys of 3 features, wants 4");
  past.coverage = {};
  CHECK(error_of([&] { static_cast<void>(coverage(memory, past)); }) ==
        "Coverage: a past of 4 steps without keep_coverage");
  past.coverage = Tensor::zeros({B, S + 1});
  CHECK(error_of([&] { static_cast<void>(coverage(memory, past)); }) ==
        "Coverage: a past of (2, 6) for a memory of (2, 5)");
  CHECK(error_of([&] { static_cast<void>(coverage({}, past)); }) == "Coverage: the memory is empty");
}

TEST_CASE("coverage loss: the lesser of weight and coverage, written out") {
  const Tensor a = some_weights();
  double expected = 0;
  for (int64_t b = 0; b < B; ++b) {
    for (int64_t s = 0; s < slots[static_cast<size_t>(b)]; ++s) {
      double c = 0;
      for (int64_t t = 0; t < queries[static_cast<size_t>(b)]; ++t) {
        expected += std::min(at(a, b, t, s), c);
        c += at(a, b, t, s);
      }
    }
  }
  CHECK(is(coverage_loss(a, extent), expected / 6));
  // Without looking twice it is 0; looking at one slot alone costs 1 at every query but the first.
  Tensor diagonal = Tensor::zeros({1, 3, 3}), column = Tensor::zeros({1, 3, 3});
  for (int64_t t = 0; t < 3; ++t) diagonal.mutable_data()[t * 3 + t] = column.mutable_data()[t * 3] = 1;
  CHECK(is(coverage_loss(diagonal), 0));
  CHECK(is(coverage_loss(column), 2.0 / 3));
  const std::vector<int32_t> none{0, 0};
  CHECK(is(coverage_loss(a, {.queries = none}), 0));
}

TEST_CASE("doubly stochastic loss: how far each slot's total is from 1, written out") {
  const Tensor a = some_weights();
  double expected = 0;
  for (int64_t b = 0; b < B; ++b) {
    for (int64_t s = 0; s < slots[static_cast<size_t>(b)]; ++s) {
      double total = 0;
      for (int64_t t = 0; t < queries[static_cast<size_t>(b)]; ++t) total += at(a, b, t, s);
      expected += (1 - total) * (1 - total);
    }
  }
  CHECK(is(doubly_stochastic_loss(a, extent), expected / B));
  CHECK(is(doubly_stochastic_loss(Tensor::full({1, 4, 4}, real(0.25))), 0));
  CHECK(is(doubly_stochastic_loss(Tensor::full({1, 2, 4}, real(0.25))), 1));  // four slots, each lacks 1/2
}

TEST_CASE("guided attention loss: what lies off the diagonal pays, written out") {
  const Tensor a = some_weights();
  constexpr double g = 0.3;
  double expected = 0;
  for (int64_t b = 0; b < B; ++b) {
    const double n = queries[static_cast<size_t>(b)], m = slots[static_cast<size_t>(b)];
    for (int64_t t = 0; t < queries[static_cast<size_t>(b)]; ++t) {
      for (int64_t s = 0; s < slots[static_cast<size_t>(b)]; ++s) {
        const double off = static_cast<double>(s) / m - static_cast<double>(t) / n;
        expected += at(a, b, t, s) * (1 - std::exp(-off * off / (2 * g * g))) / (n * m * B);
      }
    }
  }
  CHECK(is(guided_attention_loss(a, real(g), extent), expected));
  Tensor diagonal = Tensor::zeros({1, 3, 3});
  for (int64_t t = 0; t < 3; ++t) diagonal.mutable_data()[t * 3 + t] = 1;
  CHECK(is(guided_attention_loss(diagonal), 0));
  CHECK(error_of([&] { guided_attention_loss(a, 0); }) == "guided_attention_loss: g = 0 must be above 0");
}

TEST_CASE("alignment loss: the cross entropy of weights against a gold alignment") {
  Tensor a = some_weights();
  const Ids gold({B, T}, {2, -1, 0, 1, 4, 3, -1, -1});
  double expected = 0;
  for (int64_t i = 0; i < gold.size(); ++i) {
    if (gold[i] >= 0) expected -= std::log(at(a, i / T, i % T, gold[i])) / 5;
  }
  CHECK(is(alignment_loss(a, gold), expected));
  CHECK(is(alignment_loss(a, Ids({B, T}, std::vector<int32_t>(B * T, -1))), 0));
  // A gold slot of weight 0 costs much, but no infinity, and its gradient is 0.
  Tensor sure = Tensor::from({1, 1, 2}, {0, 1});
  sure.requires_grad();
  const Tensor loss = alignment_loss(sure, Ids({1, 1}, {0}));
  CHECK(loss.item() > 80);
  CHECK(std::isfinite(loss.item()));
  backward(loss);
  CHECK(all_zero(sure.grad()));
}

TEST_CASE("losses on attention: what does not fit is one sentence") {
  const Tensor a = some_weights();
  const std::vector<int32_t> three{1, 1, 1}, many{5, 1}, wide{3, 6};
  CHECK(error_of([&] { coverage_loss(select(a, 0, 0)); }) ==
        "coverage_loss: weights are (4, 5), wants (B, T, S)");
  CHECK(error_of([&] { doubly_stochastic_loss(a, {.queries = three}); }) ==
        "doubly_stochastic_loss: 3 lengths of queries for a batch of 2");
  CHECK(error_of([&] { coverage_loss(a, {.queries = many}); }) ==
        "coverage_loss: 5 queries of row 0 are outside [0, 4]");
  CHECK(error_of([&] { guided_attention_loss(a, 1, {.slots = wide}); }) ==
        "guided_attention_loss: 6 slots of row 1 are outside [0, 5]");
  CHECK(error_of([&] {
          alignment_loss(a, Ids({B, 1}));
        }) == "alignment_loss: gold (2, 1) for weights (2, 4, 5)");
  CHECK(error_of([&] {
          alignment_loss(a, Ids({B, T}, {0, 0, 5, 0, 0, 0, 0, 0}));
        }) == "alignment_loss: gold slot 5 at place 2 is neither -1 nor in [0, 5)");
}

}  // namespace
}  // namespace heed::tests
