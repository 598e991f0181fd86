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

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/attention_options.hpp"
#include "examples/support/fit.hpp"
#include "examples/support/progress.hpp"
#include "examples/support/share.hpp"
#include "examples/support/sorting.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/terminal.hpp"
#include "examples/support/verdict.hpp"
#include "layers/attention_losses.hpp"
#include "layers/linear.hpp"
#include "layers/models/pointer_network.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

struct Options {
  AttentionChoice attention{.scorer = "bilinear"};
  int64_t hidden = 64;
  bool no_contrast = false;
  FitSettings fit{.steps = 12000, .batch = 128, .lr = 1e-2, .warmup = 100};
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
  line.group("the model");
  add_attention(line, o.attention);
  line.integer("--hidden", o.hidden, "features of the encoder's and the decoder's state", 1, 1 << 16);
  line.toggle("--no-contrast", o.no_contrast, "do not train the net without attention beside it");
  add_fit_options(line, o.fit);
  if (!line.parse(argc, argv)) return false;
  apply(o.fit);
  return true;
}

// Each step sorts a batch of as many numbers as it happens to draw.
Fitted train(const PointerNetwork& model, const Options& o) {
  Rng rng = draw_from(Stream::data, o.fit.seed);
  Rng chance = draw_own(Stream::dropout, o.fit.seed);
  Progress progress(o.fit.steps, is_terminal());
  const auto look = [&] {
    const int64_t count = shortest + rng.integer(longest - shortest + 1);
    const Share own = own_share(o.fit.batch);
    const Unsorted u = draw_unsorted(o.fit.batch, count, rng, true).select(own.rows);
    const Tensor weights = model(u.items, u.lengths, u.sorted, {.train = true, .rng = &chance});
    return Found(alignment_loss(weights, u.sorted), count_of(u.sorted, -1, own),
                 share_of_equal_rows(argmax(weights), u.sorted));
  };
  Fitted fitted = fit(model, o.fit, look, &progress);
  progress.finish();
  return fitted;
}

// The shares of 1,000 unseen sequences that are sorted without a mistake, for each of `counts`.
std::array<double, counts.size()> test(const PointerNetwork& model, const Options& o) {
  std::array<double, counts.size()> right{};
  for (size_t i = 0; i < counts.size(); ++i) {
    Rng rng = draw_from(Stream::data, o.fit.seed).split(uint64_t(counts[i]));
    const Share own = own_share(1000);
    const Unsorted u = draw_unsorted(1000, counts[i], rng).select(own.rows);
    const double share = share_of_equal_rows(model.greedy(u.items, u.lengths, counts[i], true), u.sorted);
    const auto rows = double(own.rows.size());
    right[i] = sum_over_ranks(share * rows, own) / sum_over_ranks(rows, own);
  }
  return right;
}

// Trains, tests, tells of it; returns the share of sequences of `longest` numbers that are right.
double learn(const char* what, const char* name, const PointerNetwork& model, const Options& o,
             std::string& table, Json& json) {
  fmt::print("{}: {} parameters\n", what, parameter_count(model));
  json.set(fmt::format("/{}/losses", name), train(model, o).losses);
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
  Rng rng = draw_from(Stream::data, o.fit.seed).split(0);
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
  const PointerNetwork::Options sizes{.item = number_features,
                                      .hidden = o.hidden,
                                      .scorer = o.attention.scorer,
                                      .normalizer = o.attention.normalizer,
                                      .slots = counts.back()};
  Rng rng = draw_from(Stream::weights, o.fit.seed);
  const PointerNetwork model(sizes, rng);
  const double right = learn("pointer network", "pointer", model, o, table, json);
  if (!o.no_contrast) {
    Rng other = draw_from(Stream::weights, o.fit.seed);
    const PointerNetwork fixed(sizes, std::make_unique<FixedOutputs>(o.hidden, other), other);
    learn("fixed outputs instead", "contrast", fixed, o, table, json);
  }
  fmt::print("\nsorted without a mistake, of 1,000 unseen sequences each (trained on {} to {} numbers):\n{}",
             shortest, longest, table);
  print_map(model, o);
  json.set("/task", "sort");
  write_settings(json, o.attention);
  json.set("/settings/hidden", o.hidden);
  write_settings(json, o.fit);
  json.set("/threshold", threshold);
  const Verdict verdict = judge(right, threshold, fmt::format("sequences of {} numbers", longest));
  return conclude("sort", verdict, json, o.fit.json);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("sort", [=] { return run(argc, argv); });
}
