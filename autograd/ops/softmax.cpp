#include <algorithm>
#include <limits>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

namespace heed::inline HEED_PRECISION {

namespace {

// The rows of a tensor of scores over S slots, each with its batch element b and its query t, by which a mask
// knows what the row may see: (B, S), (B, T, S) or (B, H, T, S).
struct ScoreRows {
  Mask mask;
  int64_t slots, queries, rows_of_batch, rows;

  ScoreRows(const char* op, const Tensor& scores, const Mask& mask) : mask(mask) {
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

  // Calls f(offset of the row, slots that may be seen, their bytes or null) for every row.
  template <class F>
  void walk(F f) const {
    parallel_for(rows, grain(static_cast<double>(slots)), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t b = r / rows_of_batch;
        f(r * slots, mask.visible(b, r % queries, slots), mask.bytes(b, slots));
      }
    });
  }
};

}  // namespace

// y_j = e^x_j / sum_i e^x_i, so dy_j/dx_i = y_j ([i = j] - y_i), and by the chain rule
//   dx_i = sum_j dy_j y_j ([i = j] - y_i) = y_i (dy_i - sum_j y_j dy_j).
// A hidden slot has y = 0, which makes its gradient 0 without a special case.
Tensor softmax(const Tensor& scores, const Mask& mask) {
  const ScoreRows rows("softmax", scores, mask);
  Tensor y = empty_like(scores);
  rows.walk([&, x = scores.data(), out = y.mutable_data()](int64_t row, int64_t n, const uint8_t* seen) {
    simd().softmax(x + row, seen, out + row, n);
    std::fill(out + row + n, out + row + rows.slots, real(0));
  });
  return record("softmax", y, {&scores}, [rows, y = Saved(y)](Gradients& g) {
    rows.walk(
        [&, y = y.data(), dy = g.output(), dx = g.input(0)](int64_t row, int64_t n, const uint8_t* /*seen*/) {
          simd().softmax_backward(y + row, dy + row, dx + row, n);
        });
  });
}

// y_j = x_j - log sum_i e^x_i, so dy_j/dx_i = [i = j] - e^y_i:  dx_i = dy_i - e^y_i sum_j dy_j.
// Where y = -inf (a hidden slot) dy is not read, so a consumer may leave anything there.
Tensor log_softmax(const Tensor& scores, const Mask& mask) {
  const ScoreRows rows("log_softmax", scores, mask);
  Tensor y = empty_like(scores);
  rows.walk([&, x = scores.data(), out = y.mutable_data()](int64_t row, int64_t n, const uint8_t* seen) {
    simd().log_softmax(x + row, seen, out + row, n);
    std::fill(out + row + n, out + row + rows.slots, -std::numeric_limits<real>::infinity());
  });
  return record("log_softmax", y, {&scores}, [rows, y = Saved(y)](Gradients& g) {
    rows.walk(
        [&, y = y.data(), dy = g.output(), dx = g.input(0)](int64_t row, int64_t n, const uint8_t* /*seen*/) {
          simd().log_softmax_backward(y + row, dy + row, dx + row, n);
        });
  });
}

}  // namespace heed::inline HEED_PRECISION
