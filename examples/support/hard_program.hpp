#pragma once

#include <cstdint>
#include <string>

#include "examples/support/command_line.hpp"

namespace heed::examples {

struct HardOptions {
  int64_t length = 12;
  int64_t draws = 1000, steps = 1500, seeds = 3;
  int64_t hidden = 32, embed = 16, batch = 32;
  double lr = 1e-2;
  std::string json = {};
};

// Prints both tables, writes --json, and returns the exit status: 0 if REINFORCE, with a baseline and
// without, is unbiased as far as one can tell (a bias of at most twice its error, and that at most 0.25, for
// which there are up to 50 times as many draws) and if soft attention and the exact marginal learn the task
// (99% of unseen sequences, mean over the seeds); else 2.
int run_hard(const HardOptions& options);

}  // namespace heed::examples
