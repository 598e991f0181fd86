#pragma once

#include <string>
#include <vector>

#include "examples/support/task_program.hpp"

// What the programs zoo and honest do for each row of their tables.

namespace heed::examples {

// What came of training, the mean over the seeds.
struct Finding {
  double accuracy = 0;  // the share of 1,000 unseen sequences that is exactly right
  double aer = 0;
  double entropy = 0;             // of the weights, nats per query
  double steps = 0, seconds = 0;  // of training
  int64_t seeds = 0, solved = 0;  // how many seeds reached the accuracy that was asked for

  [[nodiscard]] bool all_solved() const { return solved == seeds; }
};

// One task, its data drawn anew for each of the seeds 1, 2, ...
class Study {
 public:
  Study(const Task& task, int64_t seeds);

  // Trains a fresh model per seed, in silence. It counts as solved from the accuracy `enough` on; with
  // `every` above 0 this is asked so many steps apart, and training stops there.
  [[nodiscard]] Finding measure(Settings settings, double enough, int64_t every = 0) const;

 private:
  std::vector<TaskData> data_;
};

void write_finding(Json& json, const std::string& pointer, const Finding& finding);

}  // namespace heed::examples
