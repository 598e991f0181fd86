#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "examples/support/share.hpp"

namespace heed::examples {

// What a training loop tells while it runs. On a terminal: one line that is rewritten ten times a second.
// Elsewhere: a plain line for every tenth of the way, and after 10 seconds without one. Quiet: nothing, it
// only counts.
//
//   step  700/1500  loss 0.0132  accuracy  99.6%  41k tokens/s  6 s left
class Progress {
 public:
  Progress(int64_t total_steps, bool terminal, bool quiet = false);

  // After each step: the loss, the share of right target symbols, and how many of its batch. Throws when the
  // loss is no number: nothing would be learned from then on.
  void step(const StepFindings& found);
  // Ends the line.
  void finish();

  [[nodiscard]] double seconds() const;
  [[nodiscard]] double tokens_per_second() const;
  // Averaged over about the last fifty steps.
  [[nodiscard]] double loss() const { return loss_; }
  [[nodiscard]] const std::vector<double>& losses() const { return losses_; }  // of every step

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] std::string line() const;

  int64_t total_, step_ = 0, tokens_ = 0;
  bool terminal_, quiet_, open_ = false;
  double loss_ = 0, accuracy_ = 0;
  std::vector<double> losses_;
  Clock::time_point start_ = Clock::now(), shown_ = start_;
};

}  // namespace heed::examples
