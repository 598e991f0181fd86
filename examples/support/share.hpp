#pragma once

#include <vector>

#include "autograd/ids.hpp"
#include "examples/support/batch.hpp"
#include "examples/support/progress.hpp"
#include "optim/distributed.hpp"

// A training step's part in a run on several ranks (optim/distributed.hpp). All ranks draw the same batch,
// and each takes rows of it; alone, all of them.

namespace heed::examples {

// This rank's rows of a batch of n: r, r + N, r + 2N, ... of N ranks. A rank for which none is left takes row
// 0, so that it goes through the same ops as the others, but counts nothing.
struct Share {
  std::vector<int32_t> rows;
  bool counts = true;
};
Share own_share(int64_t n);

// The numbers in `targets` that are no `ignored` one; 0 for a share that does not count.
double count_of(const Ids& targets, int32_t ignored, const Share& share);

// This rank's part of examples[rows[0]], examples[rows[1]], ... A share that counts nothing has 0 tokens.
struct OwnBatch : Batch {
  Share share;
};
OwnBatch own_batch(const std::vector<Example>& examples, std::span<const int32_t> rows);

// loss * share, itself where the share is all there is.
Tensor weigh(const Tensor& loss, double share);

// Tells `progress` the means over all ranks of what each found in its part of a batch: `share` of them
// (DataParallel::shares), with so many target symbols.
void tell_step(Progress& progress, double share, double loss, double accuracy, double symbols);

}  // namespace heed::examples
