// Learns to write each symbol as often as the source says, 3x2 7 7x3 -> 3 3 7 7 7 7, reading from left to
// right. Monotonic attention (Raffel et al. 2017) walks through the source and never turns back. Trained
// softly, by the expected walk, it is tested twice: by that, and by the walk itself, which decides at each
// slot to stop or to go on and needs no slot behind it. Softmax in its place, and no attention at all, get
// the same training beside it.
//
//   ./dev run monotone [--no-contrast] [--scorer bilinear] [--seed 7] ...

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "autograd/error.hpp"
#include "examples/support/task_program.hpp"

using namespace heed::examples;

namespace {

// What the walk itself does with the parameters of a model that was trained by the expected one.
Learned decided(const TaskData& data, const Learned& soft) {
  Learned hard{soft.settings, {}, soft.training, {}, {}};
  hard.settings.normalizer = "monotonic_hard";
  hard.model = make_model(hard.settings, data.source.size(), data.target.size());
  clone_from(*hard.model, *soft.model);
  hard.test = evaluate(*hard.model, data.test);
  hard.longer = evaluate(*hard.model, data.longer);
  return hard;
}

int run(int argc, char** argv) {
  const TaskProgram program{
      .about =
          "Learns to write each symbol as often as the source says, with attention that never turns back.",
      // The data: sequences over 16 symbols, each to be written once, twice or three times.
      .task = monotone_task(16),
      // The model and its training; an option overrides what stands here.
      .presets = {.rnn = {.normalizer = "monotonic",
                          .order = "input-feeding",
                          .hidden = 64,
                          .steps = 2500,
                          .lr = 5e-3},
                  .transformer = {.model = "transformer"}},
      // The report says `learned` if this share of unseen sequences is exactly right by the walk that
      // decides.
      .threshold = 0.99,
  };
  CommandLine line(program.task.name, program.about);
  bool no_contrast = false;
  line.toggle("--no-contrast", no_contrast, "train neither softmax nor a model without attention beside it");
  Settings settings;
  if (!parse_settings(line, settings, program.presets, argc, argv)) return 0;
  if (settings.model != "rnn" || settings.normalizer != "monotonic" || settings.order == "none")
    heed::fail(
        "expected --model rnn --normalizer monotonic and an order with attention: they are what is shown");

  const TaskData data = draw_data(program.task, settings.seed);
  const Learned expected = learn(data, settings);
  const Learned walked = decided(data, expected);
  Json json;
  std::string beside = tell("the expected walk,", expected, json, "/expected");
  if (!no_contrast) {
    Settings other = settings;
    other.normalizer = "softmax";
    beside += tell("softmax instead,", learn(data, other), json, "/softmax");
    other.order = "none";
    beside += tell("without attention,", learn(data, other), json, "/contrast");
  }
  return report(program, data, walked, std::move(json), beside);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("monotone", [=] { return run(argc, argv); });
}
