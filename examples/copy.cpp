// Learns to copy a sequence of symbols, 3 7 1 -> 3 7 1, and shows the learned attention.
// The map's diagonal runs from the top left to the bottom right.
//
//   ./dev run copy [--model transformer] [--cell lstm] [--scorer additive] [--seed 7] ...

#include "examples/support/task_program.hpp"

using namespace heed::examples;

int main(int argc, char** argv) {
  const TaskProgram copy{
      .about = "Learns to copy a sequence of symbols and shows the learned attention.",
      // The data: pairs of sequences over 16 symbols, and the position that each target symbol comes from.
      .task = copy_task(16),
      // The model and its training, by --model; an option overrides what stands here.
      .presets = {.rnn = {.scorer = "bilinear", .hidden = 64, .steps = 2500, .lr = 5e-3},
                  .transformer = {.model = "transformer",
                                  .hidden = 64,
                                  .layers = 2,
                                  .steps = 1500,
                                  .lr = 2e-3,
                                  .warmup = 150}},
      // The report says `learned` if this share of unseen sequences is exactly right.
      .threshold = 0.99,
  };
  return run_task(copy, argc, argv);
}
