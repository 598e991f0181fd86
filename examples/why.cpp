// Why attention? Accuracy and gradients by length, with attention and without.
// Without, the encoder's last state is all that the decoder knows of the source. The program asks of both
//   how many sequences they get right, by length;
//   how much the loss of each target symbol feels each source symbol: the norm of its gradient.
// Attention gives every target symbol a short way back to the source symbol that it comes from.
//
//   ./dev run why [--task copy] [--longest 40] [--scorer additive] ...

#include <fmt/format.h>

#include "autograd/error.hpp"
#include "examples/support/bottleneck.hpp"

using namespace heed::examples;

namespace {

int run(int argc, char** argv) {
  CommandLine line("why", "Trains with attention and without, and shows what each makes of long sequences.");
  Bottleneck::Options options;
  line.choice("--task", options.task, "what is learned", {"reverse", "copy"});
  line.integer("--longest", options.longest, "symbols in the longest sequence, trained and tested", 6, 200);
  line.integer("--tests", options.tests, "unseen sequences of each tested length", 1, 10'000);
  Settings settings;
  const Settings rnn{.scorer = "bilinear", .hidden = 128, .steps = 3000, .lr = 3e-3};
  if (!parse_settings(line, settings, {.rnn = rnn, .transformer = {.model = "transformer"}}, argc, argv))
    return 0;
  if (settings.model != "rnn")
    heed::fail("--model {}: expected rnn, which can do without attention", settings.model);
  if (settings.order == "none") heed::fail("--order none: give the order with attention; none is the other");

  Settings fixed = settings;  // the same sizes; its context is the encoder's last state
  fixed.order = "none";
  const Bottleneck with(options, settings), without(options, fixed);
  return report(options, with, without);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("why", [=] { return run(argc, argv); });
}
