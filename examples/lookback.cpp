// Language models that read facts and are asked for them again, many symbols later.
// The table compares what they look back at: nothing but the state (LSTM), the last three outputs (n-gram),
// earlier states by attention, with keys, values and predictions of their own or not, and the LSTM that
// attends to its own past instead of carrying a state along.
//
//   ./dev run lookback [--window 10] [--hidden 96] [--no-contrast] [--seed 7] ...

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/attention_options.hpp"
#include "examples/support/fit.hpp"
#include "examples/support/recall.hpp"
#include "examples/support/share.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/verdict.hpp"
#include "layers/models/recurrent_lm.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

// One row of the table, and on which of the two tasks it has to get the threshold for the program to say
// `learned`; one that has to on none is there for contrast. What a model made of its states has to be key,
// value and answer in one, and is learned slowly. An LSTMN sees two symbols side by side only if it learns to
// attend to the step before.
struct Row {
  const char* name;
  const char* what;
  LookBack look;
  bool one_symbol, two_symbols;
};
constexpr Row rows[] = {
    {"lstm", "LSTM: its state alone", LookBack::nothing, false, false},
    {"ngram", "n-gram: its last 3 outputs (Daniluk 2.4)", LookBack::ngram, false, false},
    {"states", "attention to its states (2.1)", LookBack::states, true, true},
    {"outputs", "to what it made of them", LookBack::outputs, false, false},
    {"key_value", "state = key | value (2.2)", LookBack::key_value, true, true},
    {"key_value_predict", "state = key | value | predict (2.3)", LookBack::key_value_predict, true, true},
    {"intra", "LSTMN: attention instead of a state (Cheng)", LookBack::intra, true, false},
};
constexpr double threshold = 0.99;

struct Recall {
  double accuracy = 0, perplexity = 0;  // where something is asked
  int64_t parameters = 0;
  double seconds = 0;
  std::vector<double> losses = {};  // of every step
};

Recall measure(const RecurrentLM& model, const StreamTask& task, Rng rng) {
  const NoGrad no_grad;
  const FactStream all = draw_stream(500, task, rng);
  const Share own = own_share(500);
  const Ids targets = all.targets.select(own.rows);
  const Tensor logits = model(all.tokens.select(own.rows)).logits;  // (B, T, V)
  const Ids best = argmax(logits);
  double right = 0;
  for (int64_t i = 0; i < best.size(); ++i) right += targets[i] >= 0 && best[i] == targets[i];
  const double asked = sum_over_ranks(count_of(targets, -1, own), own);
  const double loss = double(cross_entropy(logits, targets, {.mean = false}).item());
  return {sum_over_ranks(right, own) / asked, std::exp(sum_over_ranks(loss, own) / asked), 0, 0};
}

Recall learn(const RecurrentLM::Options& options, const StreamTask& task, const FitSettings& settings) {
  Rng weights = draw_from(Stream::weights, settings.seed);
  Rng batches = draw_from(Stream::batches, settings.seed), chance = draw_own(Stream::dropout, settings.seed);
  const RecurrentLM model(options, weights);
  Fitted fitted = fit(model, settings, [&] {
    const FactStream stream = draw_stream(settings.batch, task, batches);
    const Share own = own_share(settings.batch);
    const Ids targets = stream.targets.select(own.rows);
    const Tensor logits = model(stream.tokens.select(own.rows), {.train = true, .rng = &chance}).logits;
    return Found(cross_entropy(logits, targets), count_of(targets, -1, own));  // targets of -1 do not count
  });
  Recall recall = measure(model, task, draw_from(Stream::data, settings.seed));
  recall.parameters = parameter_count(model);
  recall.seconds = fitted.seconds;
  recall.losses = std::move(fitted.losses);
  return recall;
}

// Why this model cannot attend by the chosen scorer and normalizer; empty: it can.
std::string refusal(RecurrentLM::Options options, LookBack look) {
  options.vocabulary = 1;
  options.look = look;
  Rng unused;
  try {
    const RecurrentLM possible(options, unused);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

// Trains and prints one row, on both tasks; false where it had to reach the threshold and did not.
bool print_row(const Row& row, RecurrentLM::Options options, StreamTask task, const FitSettings& settings,
               Json& json) {
  fmt::print("{:<45}", row.what);
  std::fflush(stdout);
  if (const std::string why = refusal(options, row.look); !why.empty()) {
    fmt::print("  -  {}\n", why);
    json.set(fmt::format("/{}/error", row.name), why);
    return true;
  }
  bool enough = true;
  double seconds = 0;
  for (const bool one_symbol : {true, false}) {
    task.one_symbol = one_symbol;
    options.vocabulary = task.vocabulary();
    options.look = row.look;
    const Recall recall = learn(options, task, settings);
    fmt::print("{:>11.1f}%{:>11.2f}", 100 * recall.accuracy, recall.perplexity);
    std::fflush(stdout);
    const std::string at = fmt::format("/{}/{}", row.name, one_symbol ? "one_symbol" : "two_symbols");
    json.set(at + "/accuracy", recall.accuracy);
    json.set(at + "/perplexity", recall.perplexity);
    json.set(at + "/parameters", recall.parameters);
    json.set(at + "/losses", recall.losses);
    seconds += recall.seconds;
    if (one_symbol ? row.one_symbol : row.two_symbols) enough = enough && recall.accuracy >= threshold;
  }
  fmt::print("{:>9.1f}\n", seconds);
  return enough;
}

int run(int argc, char** argv) {
  CommandLine line("lookback",
                   "Language models that are asked for facts that they read many symbols before.");
  RecurrentLM::Options options{.embed = 32, .hidden = 60};
  StreamTask task;
  FitSettings settings{.steps = 2000, .batch = 32, .lr = 5e-3};
  AttentionChoice attention{.scorer = options.scorer};
  bool no_contrast = false;
  line.group("the models");
  add_attention(line, attention);
  line.integer("--hidden", options.hidden, "features of the state, a multiple of 6", 6, 1 << 12);
  line.integer("--embed", options.embed, "features of an embedded symbol", 1, 1 << 12);
  line.integer("--window", options.window, "steps that attention to states reaches back; 0: all", 0, 1 << 12);
  line.toggle("--no-contrast", no_contrast, "only the models that have to learn it");
  line.group("the task");
  line.integer("--keys", task.keys, "different keys", 1, 1 << 10);
  line.integer("--length", task.length, "symbols of a stream", 4, 1 << 10);
  add_fit_options(line, settings);
  if (!line.parse(argc, argv)) return 0;
  if (options.hidden % 6 != 0) fail("--hidden {}: expected a multiple of 6", options.hidden);
  apply(settings);
  options.scorer = attention.scorer;
  options.normalizer = attention.normalizer;
  options.slots = std::max(task.length, options.window);
  if (const std::string why = refusal(options, LookBack::states); !why.empty()) fail("{}", why);

  Json json;
  bool enough = true;
  fmt::print("lookback: {} symbols a stream, {} keys with {} values; H = {}; a guess is right in {:.1f}%\n\n",
             task.length, task.keys, task.values, options.hidden, 100 / double(task.values));
  fmt::print("{:<45}{:>23}{:>23}{:>9}\n{:<45}{:>12}{:>11}{:>12}{:>11}\n", "right, and perplexity, when asked",
             "facts of one symbol", "of two symbols", "seconds", "", "right", "perplexity", "right",
             "perplexity");
  for (const Row& row : rows) {
    if (!row.one_symbol && no_contrast) continue;
    enough = print_row(row, options, task, settings, json) && enough;
  }
  write_settings(json, settings);
  write_settings(json, attention);
  json.set("/settings/hidden", options.hidden);
  json.set("/settings/embed", options.embed);
  json.set("/settings/window", options.window);
  json.set("/threshold", threshold);
  const std::string why = fmt::format(
      "the threshold is {:.0f}%; on facts of two symbols the LSTMN need not reach it", 100 * threshold);
  return conclude("lookback", {enough, why}, json, settings.json);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("lookback", [=] { return run(argc, argv); });
}
