#include "examples/support/hard_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/kernels/parallel.hpp"
#include "autograd/ops.hpp"
#include "examples/support/estimators.hpp"
#include "examples/support/files.hpp"
#include "examples/support/json.hpp"
#include "examples/support/share.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/tasks.hpp"
#include "examples/support/train.hpp"
#include "layers/models/tokens.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"

namespace heed::examples {

namespace {

constexpr int64_t symbols = 16;
constexpr double wanted = 0.99;  // of unseen sequences: the task is solved

struct Data {
  std::vector<Example> train, test;
};

Data draw(const HardOptions& options, int64_t seed) {
  const Task task = copy_task(symbols);
  const Lengths length{options.length, options.length};
  Rng rng = draw_from(Stream::data, seed);
  Data data{{}, generate(task, 200, length, rng)};
  data.train = generate(task, 20'000, length, rng, data.test);
  return data;
}

Chooser fresh(const HardOptions& options, int64_t seed) {
  Rng rng = draw_from(Stream::weights, seed);
  return {tokens::first_word + symbols, options.embed, options.hidden, rng};
}

// What training by one estimator from one seed came to.
struct Outcome {
  double accuracy = 0, aer = 0;
  int64_t solved = -1;  // the first examined step with `wanted` sequences right; -1: none
};

// `steps` steps of a training that is planned for options.steps.
void teach(const Chooser& model, const Estimator& estimator, const Data& data, const HardOptions& options,
           int64_t seed, int64_t steps, Outcome* outcome = nullptr) {
  Teacher teacher(estimator);
  Adam adam(parameters(model), {.lr = options.lr});
  const Schedule schedule = linear_decay(options.lr, options.steps);
  DataParallel ranks(adam.parameters());
  Rng order = draw_from(Stream::batches, seed), chance = draw_own(Stream::dropout, seed);
  for (int64_t step = 0; step < steps;) {
    for (const auto& rows : shuffled_batches(data.train, options.batch, order)) {
      if (step == steps) break;
      adam.set_lr(schedule(step++));
      adam.zero_grad();
      const OwnBatch batch = own_batch(data.train, rows);
      const double share = DataParallel::shares({count_of(batch.output, tokens::pad, batch.share)}).front();
      backward(weigh(teacher.loss(model, batch, chance), share));
      ranks.sum_gradients();
      clip_grad_norm(adam.parameters(), 1);
      adam.step();
      if (step == steps) ranks.check();
      if (outcome == nullptr || outcome->solved >= 0 || step % 25 != 0) continue;
      if (evaluate(model, data.test).scores.sequence_accuracy >= wanted) outcome->solved = step;
    }
  }
}

// ---- the first table

// Of one batch, per target symbol: both objectives.
struct Objectives {
  double expected, marginal;
};
Objectives objectives(const Chooser& model, const Batch& batch) {
  Rng unused;
  const NoGrad no_grad;
  Teacher expected({"", Method::expected}), marginal({"", Method::marginal});
  return {-double(expected.loss(model, batch, unused).item()),
          -double(marginal.loss(model, batch, unused).item())};
}

// Of whom the program says that it has no bias, and how small an error has to be to say so.
bool is_reinforce(const Estimator& e) {
  return e.method == Method::reinforce || (e.method == Method::baseline && e.entropy == 0);
}
constexpr double enough = 0.25;

// All estimators at one point of training.
std::vector<Quality> print_qualities(const char* where, const Chooser& model, const Batch& batch,
                                     int64_t draws, Json& json) {
  const auto [expected, marginal] = objectives(model, batch);
  fmt::print(
      "\n{}: expected log-likelihood {:.3f}, log of the expected likelihood {:.3f} per symbol (Jensen)\n"
      "{:<26} {:>18}  {:>18}  {:>9}\n",
      where, expected, marginal, "gradients", "bias +- error", "against marginal", "deviation");
  const std::string pointer = "/gradients" + pointer_part(where);
  json.set(pointer + "/expected_log_likelihood", expected);
  json.set(pointer + "/log_marginal", marginal);
  std::vector<Quality> all;
  for (const Estimator& estimator : estimators()) {
    Rng rng(7);
    const bool claimed = is_reinforce(estimator);
    const Quality q = measure(estimator, model, batch, draws, rng, claimed ? enough : 1e9);
    const std::string error = estimator.random() ? fmt::format("+- {:.3f}", q.error) : "         ";
    fmt::print("{:<26} {:8.3f} {}  {:18.3f}  {:>9}\n", estimator.name, q.bias, error, q.against_marginal,
               estimator.random() ? fmt::format("{:.2f}", q.deviation) : "none");
    std::fflush(stdout);
    const std::string at = pointer + pointer_part(estimator.name);
    json.set(at + "/bias", q.bias);
    json.set(at + "/error", q.error);
    json.set(at + "/draws", q.draws);
    json.set(at + "/against_marginal", q.against_marginal);
    json.set(at + "/deviation", q.deviation);
    all.push_back(q);
  }
  return all;
}

// Whether REINFORCE is unbiased as far as one can see, and one can see well: noise around 0 has a bias of 1.
bool unbiased(const std::vector<Quality>& qualities) {
  for (size_t i = 0; i < qualities.size(); ++i) {
    const Quality& q = qualities[i];
    if (is_reinforce(estimators()[i]) && (q.error > enough || q.bias > 2 * q.error)) return false;
  }
  return true;
}

// What the columns mean, and what the rows say.
void conclude(const std::vector<Quality>& partly) {
  const auto of = [&](Method method, double temperature) {
    const auto found = std::ranges::find_if(
        estimators(), [&](const Estimator& e) { return e.method == method && e.temperature == temperature; });
    return partly[size_t(found - estimators().begin())];
  };
  const Quality plain = of(Method::reinforce, 1), steady = of(Method::baseline, 1);
  const Quality warm = of(Method::gumbel, 2), cold = of(Method::gumbel, 0.1);
  fmt::print(
      "\ngradients: of what chooses, the scorer and the encoder of the keys.\n"
      "bias: |mean - exact| / |exact|, the exact gradient being that of the expected log-likelihood;\n"
      "error: what noise alone would show; REINFORCE draws until it is at most {:.2f}; deviation: of one\n"
      "estimate. softmax, the marginal and REINFORCE with an entropy term have objectives of their own: "
      "their\n"
      "bias is no error.\n"
      "Partly trained, the baseline takes REINFORCE's deviation from {:.2f} to {:.2f} without a bias;\n"
      "cooling Gumbel-softmax from 2 to 0.1 takes its bias from {:.2f} to {:.2f}, its deviation from\n"
      "{:.2f} to {:.2f}.\n",
      enough, plain.deviation, steady.deviation, warm.bias, cold.bias, warm.deviation, cold.deviation);
}

// ---- the second table

Outcome train(const Estimator& estimator, const HardOptions& options, int64_t seed) {
  const Data data = draw(options, seed);
  Chooser model = fresh(options, seed);
  model.hard = estimator.method != Method::softmax;
  Outcome outcome;
  teach(model, estimator, data, options, seed, options.steps, &outcome);
  const Evaluation result = evaluate(model, data.test);
  outcome.accuracy = result.scores.sequence_accuracy;
  outcome.aer = result.aer;
  return outcome;
}

// One row: mean accuracy over the seeds, and the rest. Returns that mean.
double print_learned(const Estimator& estimator, const HardOptions& options, Json& json) {
  double accuracy = 0, aer = 0;
  std::vector<int64_t> solved;
  std::string steps;
  for (int64_t seed = 1; seed <= options.seeds; ++seed) {
    const Outcome outcome = train(estimator, options, seed);
    accuracy += outcome.accuracy / double(options.seeds);
    aer += outcome.aer / double(options.seeds);
    solved.push_back(outcome.solved);
    steps += outcome.solved < 0 ? "     -" : fmt::format(" {:>5}", outcome.solved);
  }
  fmt::print("{:<26} {:9.1f}%  {:5.3f}   {}\n", estimator.name, 100 * accuracy, aer, steps);
  std::fflush(stdout);
  const std::string at = "/learned" + pointer_part(estimator.name);
  json.set(at + "/sequence_accuracy", accuracy);
  json.set(at + "/aer", aer);
  json.set(at + "/steps", solved);
  return accuracy;
}

}  // namespace

int run_hard(const HardOptions& options) {
  kernels::set_threads(1);
  if (!options.json.empty()) check_writable("--json", options.json);
  const Data data = draw(options, 1);
  const Chooser model = fresh(options, 1);
  const Batch batch = make_batch(data.test, sorted_batches(data.test, options.batch).front());
  fmt::print("hard: copy {} of {} symbols, {} parameters, gradients of {} sequences, {} draws\n",
             options.length, symbols, parameter_count(model), options.batch, options.draws);
  Json json;
  bool holds = unbiased(print_qualities("untrained", model, batch, options.draws, json));
  const Estimator exact{"", Method::expected};
  teach(model, exact, data, options, 1, options.steps / 30);
  const std::vector<Quality> partly = print_qualities("partly trained", model, batch, options.draws, json);
  holds = unbiased(partly) && holds;

  fmt::print("\n{:<26} {:>10}  {:>5}   steps to {:.0f}%, seeds 1 to {}\n", "learned by", "sequences", "AER",
             100 * wanted, options.seeds);
  for (const Estimator& estimator : estimators()) {
    const double accuracy = print_learned(estimator, options, json);
    if (estimator.method == Method::softmax || estimator.method == Method::marginal)
      holds = holds && accuracy >= wanted;
  }
  conclude(partly);
  fmt::print("hard: {} (REINFORCE is unbiased; soft attention and the exact marginal learn)\n",
             holds ? "shown" : "not shown");
  json.set("/shown", holds);
  if (!options.json.empty()) json.write(options.json);
  return holds ? 0 : 2;
}

}  // namespace heed::examples
