#include <algorithm>
#include <limits>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/ops/score_rows.hpp"
#include "autograd/simd.hpp"

namespace heed::inline HEED_PRECISION {

// y_j = e^x_j / sum_i e^x_i, so dy_j/dx_i = y_j ([i = j] - y_i), and by the chain rule
//   dx_i = sum_j dy_j y_j ([i = j] - y_i) = y_i (dy_i - sum_j y_j dy_j).
// A hidden slot has y = 0, which makes its gradient 0; where y = 0 dy is not read, so it may be anything.
Tensor softmax(const Tensor& scores, const Mask& mask) {
  const ScoreRows rows("softmax", scores, mask);
  Tensor y = empty_like(scores);
  rows.walk([&, x = scores.data(), out = y.mutable_data()](int64_t row, int64_t n, const uint8_t* seen) {
    simd().softmax(x + row, seen, out + row, n);
    std::fill(out + row + n, out + row + rows.slots, real(0));
  });
  return record("softmax", y, {&scores}, [rows, y = Saved(y)](Gradients& g) {
    rows.walk(
        [&, y = y.data(), dy = g.output(), dx = g.sum(0)](int64_t row, int64_t n, const uint8_t* /*seen*/) {
          simd().softmax_backward(y + row, dy + row, !dx.fresh, dx.data + row, n);
          if (dx.fresh) std::fill(dx.data + row + n, dx.data + row + rows.slots, real(0));
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
  if (Graph::anomaly()) rows.check_seen("log_softmax", scores);
  return record("log_softmax", y, {&scores}, [rows, y = Saved(y)](Gradients& g) {
    rows.walk(
        [&, y = y.data(), dy = g.output(), dx = g.sum(0)](int64_t row, int64_t n, const uint8_t* /*seen*/) {
          simd().log_softmax_backward(y + row, dy + row, !dx.fresh, dx.data + row, n);
          if (dx.fresh) std::fill(dx.data + row + n, dx.data + row + rows.slots, real(0));
        });
  });
}

}  // namespace heed::inline HEED_PRECISION
