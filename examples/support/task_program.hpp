#pragma once

#include "examples/support/tasks.hpp"
#include "examples/support/train.hpp"
#include "examples/support/vocabulary.hpp"

// What the programs copy, reverse and alignment share: the data of a task, a training loop that counts steps,
// and the report at the end.

namespace heed::examples {

// The first token of a task's symbols: those before it are special.
extern const int32_t first_symbol;

// 100,000 pairs of 3 to 12 symbols to learn from; 1,000 others of these lengths, and 1,000 that are longer
// than any of them, of 13 to 18 symbols.
struct TaskData {
  Vocabulary source, target;
  std::vector<Example> train, test, longer;
};
TaskData draw_data(const Task& task, int64_t seed);

// How the training went.
struct Training {
  double seconds = 0, tokens_per_second = 0, loss = 0;
};
// settings.steps steps on shuffled batches of similar lengths.
Training train_steps(const Seq2Seq& model, const std::vector<Example>& examples, const Settings& settings);

// A model, trained by these settings, and what it makes of unseen data.
struct Learned {
  std::unique_ptr<Seq2Seq> model;
  Training training;
  Evaluation test, longer;
};
Learned learn(const TaskData& data, const Settings& settings);

// Prints accuracies, AER, three examples and the attention map of one; writes --json. `threshold`: the
// sequence accuracy from which the task counts as learned. Returns the exit status: 0 learned, 2 not.
int report(const Learned& learned, const Task& task, const TaskData& data, const Settings& settings,
           double threshold, Json json = {});

}  // namespace heed::examples
