#pragma once

#include <span>
#include <vector>

#include "autograd/ids.hpp"
#include "autograd/random.hpp"
#include "autograd/tensor.hpp"

// Numbers to be sorted, for a network that points at them.

namespace heed::examples {

inline constexpr int64_t number_features = 17;

// B rows of n random numbers x in [0, 1).
struct Unsorted {
  std::vector<double> numbers;  // (B, n) row by row
  Tensor items;                 // (B, n, number_features): 4x - 2, and sin and cos of 2^k pi x for k = 0 .. 7
  std::vector<int32_t> lengths;  // (B): n each
  Ids sorted;                    // (B, n): the position of the least number, of the next, ...

  [[nodiscard]] Unsorted select(std::span<const int32_t> rows) const;
};
// crowded: every other row draws its numbers from a random part of [0, 1) alone, 0.05 to 1 wide, so that
// numbers lie close together more often: what there is to learn.
Unsorted draw_unsorted(int64_t batch, int64_t count, Rng& rng, bool crowded = false);

// The share of rows of `answer` that are the same in `expected`; both (B, T).
double share_of_equal_rows(const Ids& answer, const Ids& expected);

}  // namespace heed::examples
