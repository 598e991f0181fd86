#pragma once

#include <vector>

#include "autograd/ids.hpp"
#include "examples/support/batch.hpp"
#include "optim/distributed.hpp"

// A training step's part in a run on several ranks (optim/distributed.hpp). All ranks draw the same batch,
// and each takes rows of it; alone, all of them.

namespace heed::examples {

// Of n things those that are this rank's in turn: r, r + N, r + 2N, ... of N ranks.
std::vector<int32_t> own_turns(int64_t n);

// This rank's rows of a batch of n: own_turns. A rank for which none is left takes row 0, so that it goes
// through the same ops as the others, but counts nothing.
struct Share {
  std::vector<int32_t> rows;
  bool counts = true;
};
Share own_share(int64_t n);

// The numbers in `targets` that are no `ignored` one; 0 for a share that does not count.
double count_of(const Ids& targets, int32_t ignored, const Share& share);

// This rank's part of examples[rows[0]], examples[rows[1]], ...; count_of says how many symbols of it count.
struct OwnBatch : Batch {
  Share share;
};
OwnBatch own_batch(const std::vector<Example>& examples, std::span<const int32_t> rows);

// The sum of `own` over the ranks whose share counts: how many answers were right, and the like.
double sum_over_ranks(double own, const Share& share);

// loss * share, itself where the share is all there is.
Tensor weigh(const Tensor& loss, double share);

// What was found of a batch: the loss, the share of right answers, and of how many.
struct StepFindings {
  double loss = 0, right = 0, count = 0;
};
// Of the whole batch, from what each rank found in its `share` of it (DataParallel::shares).
StepFindings over_ranks(const StepFindings& own, double share);

}  // namespace heed::examples
