// Learns to sort numbers by pointing at them, and shows where it points.
// Trained on 5 to 10 numbers, it sorts more as well. The same net with a fixed output layer in place of
// attention, an output for each position, gets some of 10 numbers right and none of more.
//
//   ./dev run sort [--no-contrast] [--scorer additive] [--seed 7] ...

#include <fmt/format.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/kernels/parallel.hpp"
#include "autograd/ops.hpp"
#include "examples/support/command_line.hpp"
#include "examples/support/files.hpp"
#include "examples/support/json.hpp"
#include "examples/support/progress.hpp"
#include "examples/support/sorting.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/terminal.hpp"
#include "layers/attention_losses.hpp"
#include "layers/linear.hpp"
#include "layers/models/pointer_network.hpp"
#include "layers/scorers.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"
#include "optim/schedule.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

struct Options {
  std::string scorer = "bilinear";
  int64_t hidden = 64, batch = 128, steps = 12000, seed = 1, threads = 1;
  double lr = 1e-2;
  bool no_contrast = false;
  std::string json = {};
};

constexpr int64_t shortest = 5, longest = 10;                   // of what is learned from
constexpr std::array<int64_t, 5> counts = {5, 10, 12, 15, 20};  // of what is asked
constexpr double threshold = 0.95;                              // of sequences of `longest` numbers

// What attention replaces: an output for each position, whose weights know no items. score_ts = (W d_t +
// b)_s.
struct FixedOutputs : Scorer {
  FixedOutputs(int64_t hidden, Rng& rng) : output(hidden, counts.back(), rng) {}
  Tensor operator()(const Tensor& query, const Memory& memory) const override {
    return slice(output(query), -1, 0, memory.slots());
  }
  void visit(const Visitor& visitor) const override { visitor("output", output); }
  Linear output;
};

bool parse(Options& o, int argc, char** argv) {
  CommandLine line("sort", "Learns to sort numbers by pointing at them and shows where it points.");
  std::vector<std::string> names;
  for (const KnownScorer& scorer : known_scorers())
    if (scorer.laws.permutation) names.emplace_back(scorer.name);
  line.group("the model");
  line.choice("--scorer", o.scorer, "how a query scores an item", names);
  line.integer("--hidden", o.hidden, "features of the encoder's and the decoder's state", 1, 1 << 16);
  line.toggle("--no-contrast", o.no_contrast, "do not train the net without attention beside it");
  line.group("training");
  line.integer("--batch", o.batch, "sequences a step", 1, 1 << 20);
  line.integer("--steps", o.steps, "training steps", 1);
  line.number("--lr", o.lr, "the highest learning rate (Adam); it falls to 0 at the end", 0, 100);
  line.integer("--seed", o.seed, "of everything random", 0, CommandLine::any);
  line.integer("--threads", o.threads, "more than one pays for large models alone; 0: one per core", 0, 1024);
  line.text("--json", o.json, "write all results to this file");
  if (!line.parse(argc, argv)) return false;
  if (!o.json.empty()) check_writable("--json", o.json);
  if (o.threads > 0) kernels::set_threads(int(o.threads));
  return true;
}

// Each step sorts a batch of as many numbers as it happens to draw.
void train(const PointerNetwork& model, const Options& o) {
  Rng rng = draw_from(Stream::data, o.seed);
  Adam adam(parameters(model), {.lr = real(o.lr)});
  const Schedule schedule = linear_warmup(100, linear_decay(o.lr, o.steps));
  Progress progress(o.steps, is_terminal());
  for (int64_t step = 0; step < o.steps; ++step) {
    const Unsorted u = draw_unsorted(o.batch, shortest + rng.integer(longest - shortest + 1), rng, true);
    adam.set_lr(schedule(step));
    adam.zero_grad();
    const Tensor weights = model(u.items, u.lengths, u.sorted);
    const Tensor loss = alignment_loss(weights, u.sorted);
    backward(loss);
    clip_grad_norm(adam.parameters(), 1);
    adam.step();
    progress.step(double(loss.item()), share_of_equal_rows(argmax(weights), u.sorted),
                  o.batch * u.items.size(1));
  }
  progress.finish();
}

// The shares of 1,000 unseen sequences that are sorted without a mistake, for each of `counts`.
std::array<double, counts.size()> test(const PointerNetwork& model, const Options& o) {
  std::array<double, counts.size()> right{};
  for (size_t i = 0; i < counts.size(); ++i) {
    Rng rng = draw_from(Stream::data, o.seed).split(uint64_t(counts[i]));
    const Unsorted u = draw_unsorted(1000, counts[i], rng);
    right[i] = share_of_equal_rows(model.greedy(u.items, u.lengths, counts[i], true), u.sorted);
  }
  return right;
}

// Trains, tests, tells of it; returns the share of sequences of `longest` numbers that are right.
double learn(const char* what, const char* name, const PointerNetwork& model, const Options& o,
             std::string& table, Json& json) {
  fmt::print("{}: {} parameters\n", what, parameter_count(model));
  train(model, o);
  const auto right = test(model, o);
  table += fmt::format("  {:<24}", what);
  double of_longest = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    table += fmt::format(" {:6.1f}%", 100 * right[i]);
    json.set(fmt::format("/{}/sequence_accuracy/{}", name, counts[i]), right[i]);
    if (counts[i] == longest) of_longest = right[i];
  }
  table += "\n";
  return of_longest;
}

// One sequence of eight numbers: where each step points.
void print_map(const PointerNetwork& model, const Options& o) {
  Rng rng = draw_from(Stream::data, o.seed).split(0);
  const Unsorted u = draw_unsorted(1, 8, rng);
  const Ids answer = model.greedy(u.items, u.lengths, 8, true);
  const NoGrad no_grad;
  const Tensor weights = model(u.items, u.lengths, answer);
  std::vector<std::string> rows, columns;
  for (const double x : u.numbers) columns.push_back(fmt::format("{:.3f}", x));
  for (const int32_t s : answer.values()) rows.push_back(columns[size_t(s)]);
  fmt::print("\nattention, which is the answer: a row per step, a column per number\n{}",
             attention_map(std::vector<double>(weights.values().begin(), weights.values().end()), rows,
                           columns, has_colour()));
}

int run(int argc, char** argv) {
  Options o;
  if (!parse(o, argc, argv)) return 0;
  Json json;
  std::string table = fmt::format("  {:<24}", "how many numbers:");
  for (const int64_t n : counts) table += fmt::format(" {:>6} ", n);
  table += "\n";
  const PointerNetwork::Options sizes{.item = number_features, .hidden = o.hidden, .scorer = o.scorer};
  Rng rng = draw_from(Stream::weights, o.seed);
  const PointerNetwork model(sizes, rng);
  const double right = learn("pointer network", "pointer", model, o, table, json);
  if (!o.no_contrast) {
    Rng other = draw_from(Stream::weights, o.seed);
    const PointerNetwork fixed(sizes, std::make_unique<FixedOutputs>(o.hidden, other), other);
    learn("fixed outputs instead", "contrast", fixed, o, table, json);
  }
  fmt::print("\nsorted without a mistake, of 1,000 unseen sequences each (trained on {} to {} numbers):\n{}",
             shortest, longest, table);
  print_map(model, o);
  const bool enough = right >= threshold;
  fmt::print("\nsort: {} ({:.1f}% of sequences of {} numbers right, the threshold is {:.0f}%)\n",
             enough ? "learned" : "not learned", 100 * right, longest, 100 * threshold);
  json.set("/task", "sort");
  json.set("/settings/scorer", o.scorer);
  json.set("/settings/hidden", o.hidden);
  json.set("/settings/batch", o.batch);
  json.set("/settings/steps", o.steps);
  json.set("/settings/lr", o.lr);
  json.set("/settings/seed", o.seed);
  json.set("/threshold", threshold);
  json.set("/learned", enough);
  if (!o.json.empty()) json.write(o.json);
  return enough ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("sort", [=] { return run(argc, argv); });
}
