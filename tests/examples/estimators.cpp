#include "examples/support/estimators.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/tasks.hpp"
#include "layers/models/decode.hpp"
#include "layers/models/tokens.hpp"
#include "tests/support/close.hpp"

using namespace heed;
using namespace heed::examples;
using heed::tests::close;

namespace {

constexpr int64_t symbols = 5;

Batch copies(int64_t length, int64_t count) {
  Rng rng(5);
  const std::vector<Example> drawn = generate(copy_task(symbols), count, {length, length}, rng);
  std::vector<int32_t> rows;
  for (int32_t i = 0; i < int32_t(count); ++i) rows.push_back(i);
  return make_batch(drawn, rows);
}

Chooser small_model() {
  Rng rng(2);
  return {tokens::first_word + symbols, 4, 6, rng};
}

double loss_of(Method method, const Chooser& model, const Batch& batch) {
  Rng rng(1);
  Teacher teacher({"", method});
  return teacher.loss(model, batch, rng).item();
}

}  // namespace

TEST_CASE("both exact objectives are those of all choices, one after the other") {
  const Chooser model = small_model();
  const Batch batch = copies(2, 1);  // three looks at two slots: eight ways to choose
  const NoGrad no_grad;
  const Chooser::Asked asked = model.ask(batch);
  const Tensor p = softmax(asked.scores);  // (1, 3, 2)
  double expected = 0, likelihood = 0;
  for (int choice = 0; choice < 8; ++choice) {
    Tensor weights = Tensor::zeros({1, 3, 2});
    double probability = 1;
    for (int64_t t = 0; t < 3; ++t) {
      const int64_t at = t * 2 + (choice >> t & 1);
      weights.mutable_data()[at] = 1;
      probability *= double(p.data()[at]);
    }
    const double log_p = sum(model.log_p(asked, matmul(weights, asked.memory.values), batch.output)).item();
    expected += probability * log_p;
    likelihood += probability * std::exp(log_p);
  }
  CHECK(close(loss_of(Method::expected, model, batch), -expected / 3, 1e-5, 1e-6));
  CHECK(close(loss_of(Method::marginal, model, batch), -std::log(likelihood) / 3, 1e-5, 1e-6));
  CHECK(expected < std::log(likelihood) - 1e-4);  // Jensen
}

TEST_CASE("REINFORCE is unbiased, the baseline makes it steadier; the others pay with bias") {
  const Chooser model = small_model();
  const Batch batch = copies(4, 8);
  const auto quality = [&](Method method, double temperature = 1) {
    Rng rng(4);
    return measure({"", method, temperature}, model, batch, 1500, rng);
  };
  const Quality plain = quality(Method::reinforce), steady = quality(Method::baseline);
  CHECK(plain.bias <= 2 * plain.error);
  CHECK(steady.bias <= 2 * steady.error);
  CHECK(steady.deviation < 0.8 * plain.deviation);
  CHECK(close(plain.error, plain.deviation / std::sqrt(1500.0), 1e-9, 0));
  Rng rng(4);
  const Quality open = measure({"", Method::baseline, 1, 1}, model, batch, 1500, rng);
  CHECK(open.bias > 3 * open.error);  // the entropy's gradient is no part of the expected reward's
  Rng other(4);
  const Quality careful = measure({"", Method::reinforce}, model, batch, 100, other, plain.error);
  CHECK(careful.error <= plain.error);
  CHECK(careful.draws > 100);
  CHECK(quality(Method::straight_through).bias > 0.1);
  const Quality smooth = quality(Method::gumbel, 2), sharp = quality(Method::gumbel, 0.1);
  CHECK(smooth.bias > 3 * smooth.error);
  CHECK(smooth.deviation < 0.5 * sharp.deviation);
  CHECK(quality(Method::expected).bias == 0);
  CHECK(quality(Method::marginal).against_marginal == 0);
  CHECK(quality(Method::marginal).bias > 0.01);
}

TEST_CASE("a Chooser predicts step by step what it predicts at once, hard and soft") {
  Chooser model = small_model();
  const Batch batch = copies(3, 2);
  for (const bool hard : {true, false}) {
    model.hard = hard;
    const NoGrad no_grad;
    const Prediction whole = model(batch.source, batch.lengths, batch.input, {});
    DecoderState state = model.start(batch.source, batch.lengths);
    for (int64_t t = 0; t < 4; ++t) {
      const std::array<int32_t, 2> fed = {batch.input[t], batch.input[4 + t]};
      const Prediction one = model.step(state, Ids({2}, fed));
      for (int64_t b = 0; b < 2; ++b) {
        for (int64_t v = 0; v < one.logits.size(1); ++v) {
          const int64_t size = one.logits.size(1);
          CHECK(close(one.logits.data()[b * size + v], whole.logits.data()[(b * 4 + t) * size + v], 1e-4,
                      1e-5));
        }
        for (int64_t s = 0; s < 3; ++s) {
          const real weight = one.weights.data()[b * 3 + s];
          CHECK(close(weight, whole.weights.data()[(b * 4 + t) * 3 + s], 1e-4, 1e-5));
          if (hard) CHECK((weight == 0 || weight == 1));
        }
      }
    }
  }
}
