#pragma once

#include <optional>

#include "examples/support/tasks.hpp"
#include "examples/support/train.hpp"
#include "examples/support/vocabulary.hpp"

// What the programs that learn a generated task share: draw the data of a task, train a model, report.

namespace heed::examples {

// A model without the mechanism that a program is about, trained alike in the same run.
struct Contrast {
  std::string what;  // "without attention,": a word or three of the report
  Settings settings;
};
// The same without attention; none for a model that has none, and for the transformer.
std::optional<Contrast> without_attention(const Settings& settings);

// What is particular to one of them.
struct TaskProgram {
  std::string about;  // the first line of --help
  Task task;
  Presets presets;
  double threshold;  // the task counts as learned if this share of unseen sequences is exactly right
  // What --no-contrast leaves out, by the chosen settings; none: they have nothing to leave out.
  std::function<std::optional<Contrast>(const Settings&)> contrast = {};
};

// The whole program: parses the options, draws the data, trains a model on it, reports. Returns the exit
// status: 0 learned (or --help), 1 error, 2 not learned. A program that does more calls the parts below
// (alignment.cpp).
int run_task(const TaskProgram& program, int argc, char** argv);

// 100,000 pairs of 3 to 12 symbols to learn from; 1,000 others of these lengths, and 1,000 that are longer
// than any of them, of 13 to 18 symbols.
struct TaskData {
  std::string task;
  Vocabulary source, target;
  std::vector<Example> train, test, longer;
};
TaskData draw_data(const Task& task, int64_t seed);

// What is done with a model while it learns, beside training it.
struct Watch {
  bool quiet = false;                               // say nothing
  int64_t every = 0;                                // so many steps apart ask
  std::function<bool(const Seq2Seq&)> enough = {};  // whether to stop here
};

// How the training went.
struct Training {
  int64_t steps = 0;
  double seconds = 0, tokens_per_second = 0, loss = 0;
  std::vector<double> losses = {};  // of each step
};
// settings.steps steps on shuffled batches of similar lengths, or fewer if `watch` says enough. The seconds
// are those of training.
Training train_steps(const Seq2Seq& model, const std::vector<Example>& examples, const Settings& settings,
                     const Watch& watch = {});

// A fresh model, trained by these settings, and what it makes of unseen data.
struct Learned {
  Settings settings;
  std::unique_ptr<Seq2Seq> model;
  Training training;
  Evaluation test, longer;  // quiet: longer is not looked at
};
Learned learn(const TaskData& data, const Settings& settings, const Watch& watch = {});

// Writes what another model learned under `pointer`, and returns its two lines of the report, to stand
// `beside`.
std::string tell(const std::string& what, const Learned& learned, Json& json, const std::string& pointer);

// Prints accuracies, AER, the lines `beside` them, three examples and the attention map of one; writes
// --json, together with what `json` already holds. Returns the exit status: 0 learned, 2 not.
int report(const TaskProgram& program, const TaskData& data, const Learned& learned, Json json = {},
           const std::string& beside = "");

}  // namespace heed::examples
