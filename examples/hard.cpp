// A choice has no gradient: who estimates hard attention's, how well, and what is learned by it?
// A small model copies twelve symbols; because its looks do not depend on each other, every estimator can be
// held against the exact gradient, a sum over all choices:
//   bias and deviation of each estimate, before training and in the middle of it;
//   accuracy and alignment after training by each, with soft attention and the exact objectives beside them.
//
//   ./dev run hard [--draws 2000] [--steps 500] [--length 5] ...

#include "examples/support/hard_program.hpp"

using namespace heed::examples;

int main(int argc, char** argv) {
  return run_program("hard", [=] {
    CommandLine line("hard", "Measures every estimator of hard attention's gradient, and trains by each.");
    HardOptions options;
    line.integer("--length", options.length, "symbols to copy", 2, 100);
    line.integer("--draws", options.draws, "estimates from which bias and deviation are taken", 2, 1'000'000);
    line.integer("--steps", options.steps, "training steps", 1);
    line.integer("--seeds", options.seeds, "trainings by each estimator, with the seeds 1, 2, ...", 1, 100);
    line.integer("--hidden", options.hidden, "features of the states", 1, 1 << 12);
    line.number("--lr", options.lr, "the highest learning rate (Adam); it falls to 0 at the end", 0, 100);
    line.text("--json", options.json, "write all results to this file");
    if (!line.parse(argc, argv)) return 0;
    return run_hard(options);
  });
}
