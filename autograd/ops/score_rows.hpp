#pragma once

#include <cmath>

#include "autograd/error.hpp"
#include "autograd/ids.hpp"
#include "autograd/simd.hpp"
#include "autograd/tensor.hpp"

namespace heed::inline HEED_PRECISION {

// The rows of a tensor of scores over S slots, each with its batch element b and its query t, by which a mask
// knows what the row may see: (B, S), (B, T, S) or (B, H, T, S).
struct ScoreRows {
  Mask mask;
  int64_t slots, queries, rows_of_batch, rows;

  ScoreRows(const char* op, const Tensor& scores, const Mask& mask) : mask(mask) {
    check_defined(op, scores);
    const Shape& shape = scores.shape();
    if (shape.rank() == 0) fail("{}: a scalar has no axis", op);
    slots = shape[-1];
    rows = shape.outer(-1);
    queries = shape.rank() > 2 ? shape[-2] : 1;
    rows_of_batch = shape.rank() > 1 && shape[0] > 0 ? rows / shape[0] : 1;
    if (mask.everything()) return;
    if (shape.rank() < 2) fail("{}: a mask needs scores (B, ..., S), not {}", op, shape.text());
    mask.check(op, shape[0], slots);
  }

  // In anomaly mode: throws when a score that is seen is NaN or infinite.
  void check_seen(const char* op, const Tensor& scores) const {
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t b = r / rows_of_batch;
      const uint8_t* seen = mask.bytes(b, slots);
      for (int64_t s = 0; s < mask.visible(b, r % queries, slots); ++s) {
        const real score = scores.data()[r * slots + s];
        if ((seen != nullptr && seen[s] == 0) || std::isfinite(score)) continue;
        fail("anomaly: {} was given {} at element {} of {}", op,
             std::isnan(score) ? "nan"
             : score < 0       ? "-inf"
                               : "inf",
             r * slots + s, scores.size());
      }
    }
  }

  // Calls f(offset of the row, slots that may be seen, their bytes or null) for every row. `nanoseconds`:
  // what a slot takes, about.
  template <class F>
  void walk(F f, double nanoseconds = 1) const {
    parallel_for(rows, grain(nanoseconds * static_cast<double>(slots)), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t b = r / rows_of_batch;
        f(r * slots, mask.visible(b, r % queries, slots), mask.bytes(b, slots));
      }
    });
  }
};

}  // namespace heed::inline HEED_PRECISION
