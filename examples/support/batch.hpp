#pragma once

#include <span>
#include <vector>

#include "autograd/ids.hpp"
#include "autograd/random.hpp"
#include "examples/support/example.hpp"

namespace heed::examples {

// B examples side by side, filled up with `pad` to the longest source S and the longest target T (with its
// end).
struct Batch {
  Ids source;                    // (B, S)
  std::vector<int32_t> lengths;  // (B): of the sources
  Ids input;                     // (B, T): bos y_1 .. y_n pad: what the decoder is fed
  Ids output;                    // (B, T): y_1 .. y_n eos pad: what it is to predict; pad does not count
  Ids gold;                      // (B, T): where output symbol t comes from; -1: unknown, eos or pad
  int64_t tokens = 0;            // of `output` that count
};

// The batch of examples[rows[0]], examples[rows[1]], ... Throws on no rows and on an empty source.
Batch make_batch(const std::vector<Example>& examples, std::span<const int32_t> rows);

// 0..n-1 cut into batches of `size` (the last may be smaller) of similar lengths, so that little is filled
// up: a shuffled order, sorted by length within stretches of 32 batches, cut, and the batches shuffled.
// Throws when there are fewer examples than `size`.
std::vector<std::vector<int32_t>> shuffled_batches(const std::vector<Example>& examples, int64_t size,
                                                   Rng& rng);

// All of them sorted by the source's length, for evaluation.
std::vector<std::vector<int32_t>> sorted_batches(const std::vector<Example>& examples, int64_t size);

}  // namespace heed::examples
