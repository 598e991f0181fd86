#include "examples/support/bottleneck.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include "examples/support/streams.hpp"
#include "examples/support/task_program.hpp"
#include "examples/support/terminal.hpp"

namespace heed::examples {

namespace {

Task task_of(const Bottleneck::Options& options) {
  return options.task == "copy" ? copy_task(16) : reverse_task(16);
}

// The source position of the target symbol t of n.
int64_t gold(const Bottleneck::Options& options, int64_t t, int64_t n) {
  return options.task == "copy" ? t : n - 1 - t;
}

// Of the gradient of a target symbol's loss, the share that falls on the source symbol that it comes from:
// mean over the target.
double gold_share(const Bottleneck::Options& options, const SourceGradients& gradients) {
  double sum = 0;
  for (int64_t t = 0; t < gradients.n; ++t) sum += gradients.shares(t)[size_t(gold(options, t, gradients.n))];
  return sum / double(gradients.n);
}

// |d (loss of the last target symbol) / d x_s| for all s.
std::vector<double> last_row(const SourceGradients& gradients) {
  return {gradients.norms.end() - gradients.n, gradients.norms.end()};
}

// The largest over the smallest; infinite when that is 0.
double range(const std::vector<double>& norms) { return std::ranges::max(norms) / std::ranges::min(norms); }

// A bar for each number, in eighths of the largest.
std::string bars(const std::vector<double>& numbers) {
  constexpr std::array<const char*, 9> eighths = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const double most = std::ranges::max(numbers);
  std::string text;
  for (const double x : numbers) text += eighths[most > 0 ? size_t(std::lround(8 * x / most)) : 0];
  return text;
}

std::string percents(const std::vector<double>& shares) {
  std::string text;
  for (const double share : shares) text += fmt::format(" {:7.1f}%", 100 * share);
  return text;
}

std::vector<double> gold_shares(const Bottleneck::Options& options, const Bottleneck& model) {
  std::vector<double> shares;
  for (const SourceGradients& gradients : model.trained) shares.push_back(gold_share(options, gradients));
  return shares;
}

void print_tables(const Bottleneck::Options& options, const Bottleneck& with, const Bottleneck& without) {
  std::string header;
  for (const int64_t length : with.lengths) header += fmt::format(" {:>8}", length);
  fmt::print("\nsequences right, by length       {}\n  with attention                 {}\n", header,
             percents(with.accuracy));
  fmt::print("  without                        {}\n\n", percents(without.accuracy));
  fmt::print(
      "of the gradient of a target symbol's loss, the share on the source symbol that it comes from\n"
      "  with attention                 {}\n  without                        {}\n",
      percents(gold_shares(options, with)), percents(gold_shares(options, without)));
}

// The gradient's norm over the source positions of the greatest length.
void print_profiles(const Bottleneck& with, const Bottleneck& without) {
  fmt::print("\n|d loss / d source symbol| along the source, length {}, each line up to its largest\n",
             with.lengths.back());
  const auto line = [](const char* what, const std::vector<double>& norms) {
    fmt::print("  {:<34}|{}| {:.2g} to {:.2g}\n", what, bars(norms), std::ranges::min(norms),
               std::ranges::max(norms));
  };
  line("last symbol, untrained, with", last_row(with.untrained.back()));
  line("last symbol, untrained, without", last_row(without.untrained.back()));
  line("last symbol, trained, with", last_row(with.trained.back()));
  line("last symbol, trained, without", last_row(without.trained.back()));
  line("all symbols, trained, with", with.trained.back().total);
  line("all symbols, trained, without", without.trained.back().total);
}

// Side by side: a row per target symbol, a column per source symbol.
void print_maps(const Bottleneck& with, const Bottleneck& without) {
  const auto map = [](const SourceGradients& gradients) {
    std::vector<double> all;
    std::vector<std::string> numbers;
    for (int64_t t = 0; t < gradients.n; ++t) {
      const std::vector<double> row = gradients.shares(t);
      const double most = std::max(std::ranges::max(row), 1e-30);
      for (const double share : row) all.push_back(share / most);
      numbers.push_back(fmt::format("{}", t + 1));
    }
    return std::istringstream(attention_map(all, numbers, numbers, has_colour()));
  };
  std::istringstream left = map(with.trained[1]), right = map(without.trained[1]);
  fmt::print(
      "\nwhich source symbols (columns) each target symbol's loss feels (rows, each up to its largest),\n"
      "trained with attention, and without\n");
  for (std::string a, b; std::getline(left, a) && std::getline(right, b);) fmt::print("{}      {}\n", a, b);
}

void write(Json& json, const std::string& pointer, const Bottleneck::Options& options,
           const Bottleneck& model) {
  write_settings(json, pointer + "/settings", model.settings);
  write_beam(json, pointer + "/decoding", model.settings.beam);
  json.set(pointer + "/parameters", model.parameters);
  json.set(pointer + "/seconds", model.seconds);
  for (size_t i = 0; i < model.lengths.size(); ++i) {
    const std::string at = fmt::format("{}/length {}", pointer, model.lengths[i]);
    json.set(at + "/sequence_accuracy", model.accuracy[i]);
    json.set(at + "/gold_share", gold_share(options, model.trained[i]));
    json.set(at + "/untrained/last", last_row(model.untrained[i]));
    json.set(at + "/untrained/all", model.untrained[i].total);
    json.set(at + "/trained/last", last_row(model.trained[i]));
    json.set(at + "/trained/all", model.trained[i].total);
    json.set(at + "/trained/map", model.trained[i].norms);
  }
}

std::vector<SourceGradients> gradients(const Seq2Seq& model, const std::vector<std::vector<Example>>& tests) {
  std::vector<SourceGradients> all;
  for (const std::vector<Example>& test : tests) {
    const std::vector<Example> some(test.begin(), test.begin() + std::min<int64_t>(50, int64_t(test.size())));
    all.push_back(source_gradients(dynamic_cast<const RecurrentSeq2Seq&>(model), some));
  }
  return all;
}

}  // namespace

Bottleneck::Bottleneck(const Options& options, const Settings& s) : settings(s) {
  Rng rng = draw_from(Stream::data, settings.seed);
  const Task task = task_of(options);
  std::vector<Example> unseen;
  std::vector<std::vector<Example>> tests;
  for (int64_t i = 1; i <= 6; ++i) {
    lengths.push_back(options.longest * i / 6);
    tests.push_back(generate(task, options.tests, {lengths.back(), lengths.back()}, rng));
    unseen.insert(unseen.end(), tests.back().begin(), tests.back().end());
  }
  const auto train =
      generate(task, 100'000, {std::min<int64_t>(3, lengths[0]), options.longest}, rng, unseen);
  for (const Example& e : train) make_room(settings, e.source.size(), e.target.size());
  const auto words = Vocabulary(task.source_symbols).size();
  const auto model = make_model(settings, words, words);
  parameters = parameter_count(*model);
  fmt::print("{} attention (--order {}): {} parameters\n", settings.order == "none" ? "without" : "with",
             settings.order, parameters);
  untrained = gradients(*model, tests);
  seconds = train_steps(*model, train, settings).seconds;
  trained = gradients(*model, tests);
  for (const auto& test : tests)
    accuracy.push_back(evaluate(*model, test, settings.beam).scores.sequence_accuracy);
}

int report(const Bottleneck::Options& options, const Bottleneck& with, const Bottleneck& without) {
  print_tables(options, with, without);
  print_profiles(with, without);
  print_maps(with, without);
  const double held = with.accuracy.back(), left = without.accuracy.back();
  const bool shown = held >= 0.95 && left <= held / 2;
  const int64_t n = with.lengths.back();
  fmt::print(
      "\nBefore training, at length {}, the loss of the last symbol feels one source symbol up to {:.1f} "
      "times\n"
      "as much as another with attention, {:.0f} times without: there the only way back is through the\n"
      "encoder's states, step by step.\n",
      n, range(last_row(with.untrained.back())), range(last_row(without.untrained.back())));
  fmt::print(
      "Trained, attention gets {:.1f}% of these sequences right, and {:.0f}% of the gradient of a symbol's\n"
      "loss falls on the source symbol that it comes from; without attention it is {:.1f}% and {:.0f}%\n"
      "(even shares would be {:.0f}%): there one vector has to tell of all {} symbols.\n",
      100 * held, 100 * gold_share(options, with.trained.back()), 100 * left,
      100 * gold_share(options, without.trained.back()), 100 / double(n), n);
  fmt::print("why: {} (at least 95% right with attention, at most half of that without)\n",
             shown ? "shown" : "not shown");
  Json json;
  json.set("/task", options.task);
  write(json, "/with", options, with);
  write(json, "/without", options, without);
  json.set("/shown", shown);
  if (!with.settings.json.empty()) json.write(with.settings.json);
  return shown ? 0 : 2;
}

}  // namespace heed::examples
