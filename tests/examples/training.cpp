// Short trainings on the tasks: that a model learns what it should, and does not without its mechanism.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "autograd/graph.hpp"
#include "autograd/kernels/parallel.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/task_program.hpp"
#include "examples/support/tasks.hpp"
#include "layers/attention_losses.hpp"
#include "layers/models/tokens.hpp"

using namespace heed;
using namespace heed::examples;

// Trains a small model to copy.
struct Copying {
  explicit Copying(const Settings& settings) : settings(settings) {
    Rng rng = draw_from(Stream::data, 1);
    test = generate(copy_task(8), 100, {3, 6}, rng);
    train = generate(copy_task(8), 5'000, {3, 6}, rng, test);
    model = make_model(settings, tokens::first_word + 8, tokens::first_word + 8);
  }
  Settings settings;
  std::vector<Example> train, test;
  std::unique_ptr<Seq2Seq> model;
};

TEST_CASE("training stops where its watch says enough, and not before") {
  const Copying copying({.embed = 8, .hidden = 8, .steps = 10});
  int64_t asked = 0;
  const Watch watch{.quiet = true, .every = 2, .enough = [&](const Seq2Seq&) { return ++asked == 2; }};
  CHECK(train_steps(*copying.model, copying.train, copying.settings, watch).steps == 4);
  CHECK(train_steps(*copying.model, copying.train, copying.settings, {.quiet = true}).steps == 10);
  CHECK(asked == 2);
}

TEST_CASE("guidance brings the weights to the gold alignment, and spread with it") {
  kernels::set_threads(1);
  Settings settings{.order = "bahdanau", .embed = 16, .hidden = 32, .steps = 150, .lr = 1e-2};
  double aer[2], entropy[2];
  for (const int guided : {0, 1}) {
    settings.guidance = guided;
    const Copying copying(settings);
    train_steps(*copying.model, copying.train, settings, {.quiet = true});
    const Evaluation result = evaluate(*copying.model, copying.test);
    aer[guided] = result.aer;
    entropy[guided] = result.entropy;
  }
  CHECK(aer[0] >= 0.2);
  CHECK(aer[1] <= 0.02);
  CHECK(entropy[0] <= std::log(6.0));
  CHECK(entropy[1] <= entropy[0] / 2);
}

TEST_CASE(
    "a guided loss brings the weights of copy to the diagonal, a doubly stochastic one shares them out") {
  kernels::set_threads(1);
  const Settings plain{.order = "bahdanau", .embed = 16, .hidden = 32, .steps = 150, .lr = 1e-2};
  Settings guided = plain, stochastic = plain;
  guided.guided = 10;
  stochastic.doubly_stochastic = 4;
  // AER, and how far from 1 the totals of the source positions are.
  const auto learned = [](const Settings& settings) {
    const Copying copying(settings);
    train_steps(*copying.model, copying.train, settings, {.quiet = true});
    double off = 0;  // beside the least that it can be: a query more than positions, the end's, makes it 1/S
    for (const Example& e : copying.test) {
      const Batch batch = make_batch({e}, std::vector<int32_t>{0});
      const NoGrad no_grad;
      const Tensor weights = (*copying.model)(batch.source, batch.lengths, batch.input, {}).weights;
      off += double(doubly_stochastic_loss(weights).item()) - 1 / double(e.source.size());
    }
    return std::pair{evaluate(*copying.model, copying.test).aer, off / 100};
  };
  const auto [aer, off] = learned(plain);
  CHECK(aer >= 0.2);
  CHECK(learned(guided).first <= 0.1);
  CHECK(learned(stochastic).second <= off / 2);
}

TEST_CASE("a scorer learns from the choices of the normalizer reinforce, whose entropy is 0") {
  for (const char* model : {"rnn", "hybrid"}) {
    CAPTURE(model);
    const Copying copying({.model = model, .normalizer = "reinforce", .embed = 8, .hidden = 8, .steps = 1});
    const auto scorer_parameter = [&] {
      for (const NamedParameter& p : named_parameters(*copying.model))
        if (p.name.ends_with("scorer.query.weight")) return p.tensor.clone();
      return Tensor();
    };
    const Tensor before = scorer_parameter();
    train_steps(*copying.model, copying.train, copying.settings, {.quiet = true});
    CHECK_FALSE(std::ranges::equal(before.values(), scorer_parameter().values()));
    CHECK(evaluate(*copying.model, copying.test).entropy == 0);
  }
}

TEST_CASE("reverse is learned by a small model from three seeds" * doctest::test_suite("training")) {
  kernels::set_threads(1);  // as the programs do
  for (const int64_t seed : {1, 2, 3}) {
    Rng rng = draw_from(Stream::data, seed);
    const Task task = reverse_task(8);
    const auto test = generate(task, 200, {3, 6}, rng);
    const auto train = generate(task, 10'000, {3, 6}, rng, test);
    const Settings settings{
        .scorer = "bilinear", .embed = 24, .hidden = 48, .steps = 600, .lr = 1e-2, .seed = seed};
    const auto model = make_model(settings, tokens::first_word + 8, tokens::first_word + 8);
    train_steps(*model, train, settings);
    const Evaluation result = evaluate(*model, test);
    CAPTURE(seed);
    CHECK(result.scores.sequence_accuracy >= 0.97);
    CHECK(result.aer <= 0.15);
  }
}

// The least share of unseen sequences that is right after a short training, over the seeds 1 to `seeds`.
double worst_share(const Task& task, Lengths lengths, Settings settings, int64_t seeds) {
  kernels::set_threads(1);
  const auto vocabulary = [](const std::vector<std::string>& symbols) {
    return tokens::first_word + int64_t(symbols.size());
  };
  double worst = 1;
  for (settings.seed = 1; settings.seed <= seeds; ++settings.seed) {
    Rng rng = draw_from(Stream::data, settings.seed);
    const auto test = generate(task, 200, lengths, rng);
    const auto train = generate(task, 10'000, lengths, rng, test);
    const auto model = make_model(settings, vocabulary(task.source_symbols), vocabulary(task.target_symbols));
    train_steps(*model, train, settings);
    worst = std::min(worst, evaluate(*model, test).scores.sequence_accuracy);
  }
  return worst;
}

TEST_CASE("bigram_flip is learned by RNNsearch from three seeds, and not by the RNN Encoder-Decoder" *
          doctest::test_suite("training")) {
  Settings settings{.model = "rnnsearch", .embed = 24, .hidden = 32, .steps = 1000, .lr = 1e-2};
  CHECK(worst_share(bigram_flip_task(8), {3, 5}, settings, 3) >= 0.97);
  settings.model = "rnn-encoder-decoder";
  CHECK(worst_share(bigram_flip_task(8), {3, 5}, settings, 1) <= 0.5);
}

// The program trains longer, to 99%, and decides the walk too.
TEST_CASE("monotone is learned by monotonic attention, and not without attention" *
          doctest::test_suite("training")) {
  Settings settings{.normalizer = "monotonic",
                    .order = "input-feeding",
                    .embed = 16,
                    .hidden = 32,
                    .steps = 600,
                    .lr = 1e-2};
  CHECK(worst_share(monotone_task(6), {4, 6}, settings, 1) >= 0.9);
  settings.order = "none";
  CHECK(worst_share(monotone_task(6), {4, 6}, settings, 1) <= 0.5);
}

// The program trains longer, to 100%.
TEST_CASE("walk is learned faster with attention to the own past than without" *
          doctest::test_suite("training")) {
  Settings settings{.own_past = true, .embed = 24, .hidden = 40, .steps = 1000, .lr = 1e-2};
  CHECK(worst_share(walk_task(10, 6), {8, 10}, settings, 1) >= 0.7);
  settings.own_past = false;
  CHECK(worst_share(walk_task(10, 6), {8, 10}, settings, 1) <= 0.5);
}

TEST_CASE("every pair of halves learns to copy and to reverse short sequences" *
          doctest::test_suite("training")) {
  const std::string kinds[] = {"rnn", "cnn", "transformer"};
  for (const std::string& encoder : kinds) {
    for (const std::string& decoder : kinds) {
      CAPTURE(encoder);
      CAPTURE(decoder);
      const bool self = encoder == "transformer" || decoder == "transformer";
      const Settings settings{.model = "hybrid",
                              .encoder = encoder,
                              .decoder = decoder,
                              .embed = 24,
                              .hidden = 32,
                              .layers = 2,
                              .steps = self ? 700 : 500,
                              .lr = 5e-3,
                              .warmup = self ? 50 : 0};
      CHECK(worst_share(copy_task(8), {3, 6}, settings, 1) >= 0.9);
      CHECK(worst_share(reverse_task(8), {3, 6}, settings, 1) >= 0.9);
    }
  }
}
