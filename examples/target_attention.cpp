// Learns to walk through a house and back the same way: d7 d0 d4 -> 5 2 9 | 9 2 5, and shows the attention.
// Doors lead one way only, so that the way back stands nowhere but in what the decoder itself has written: it
// attends to its own past beside the source (target-target attention, Xia et al. 2017). The same model
// without that, trained alike in the same run, has to carry the rooms in its state.
//
//   ./dev run target_attention [--no-contrast] [--order input-feeding] [--seed 7] ...

#include "examples/support/task_program.hpp"

using namespace heed::examples;

namespace {

std::optional<Contrast> without_past(const Settings& settings) {
  if (settings.model != "rnn" || !settings.own_past) return std::nullopt;
  Contrast contrast{"without its own past,", settings};
  contrast.settings.own_past = false;
  return contrast;
}

}  // namespace

int main(int argc, char** argv) {
  const TaskProgram walk{
      .about = "Learns to walk through a house and back, with attention to its own past and without.",
      // The data: doors, of 16 in each of 16 rooms, and the rooms that they lead to, there and back.
      .task = walk_task(16, 16),
      // The model and its training, by --model; an option overrides what stands here.
      .presets = {.rnn = {.own_past = true, .hidden = 64, .steps = 3000, .lr = 5e-3},
                  .transformer = {.model = "transformer",
                                  .hidden = 64,
                                  .layers = 2,
                                  .steps = 2500,
                                  .lr = 2e-3,
                                  .warmup = 150}},
      // The report says `learned` if this share of unseen sequences is exactly right.
      .threshold = 0.99,
      .contrast = without_past,
  };
  return run_task(walk, argc, argv);
}
