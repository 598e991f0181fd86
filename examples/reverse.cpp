// Learns to reverse a sequence of symbols, 3 7 1 -> 1 7 3, and shows the learned attention.
// The map's diagonal runs from the top right to the bottom left.
//
//   ./dev run reverse [--model transformer] [--cell lstm] [--scorer additive] [--seed 7] ...

#include <fmt/format.h>

#include "examples/support/task_program.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

constexpr double threshold = 0.99;  // of unseen sequences right: the task counts as learned

int run(int argc, char** argv) {
  CommandLine line("reverse", "Learns to reverse a sequence of symbols and shows the learned attention.");
  const Settings rnn{.scorer = "bilinear", .hidden = 64, .steps = 2500, .lr = 5e-3};
  const Settings transformer{
      .model = "transformer", .hidden = 64, .layers = 2, .steps = 1500, .lr = 2e-3, .warmup = 150};
  Settings settings;
  if (!parse_settings(line, settings, rnn, transformer, argc, argv)) return 0;

  const Task task = reverse_task(16, first_symbol);
  const TaskData data = draw_data(task, settings.seed);
  fmt::print("reverse: {} pairs, {} symbols, --model {}\n", data.train.size(), task.source_symbols.size(),
             settings.model);
  const Learned learned = learn(data, settings);
  return report(learned, task, data, settings, threshold);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("reverse", [=] { return run(argc, argv); });
}
