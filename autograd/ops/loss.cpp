#include <algorithm>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

namespace heed::inline HEED_PRECISION {

// Of one row: loss = -sum_v q_v (x_v - lse), lse = log sum_v e^x_v, where q is (1 - e) at the target plus e/V
// everywhere, so dloss/dx_v = softmax(x)_v - q_v. Only lse is kept; the probabilities come from x again.
Tensor cross_entropy(const Tensor& logits, const Ids& targets, const CrossEntropy& options) {
  check_defined("cross_entropy", logits);
  if (logits.rank() == 0 || logits.shape().without(-1) != targets.shape()) {
    fail("cross_entropy: logits {} and targets {}: (..., V) and (...) were expected", logits.shape().text(),
         targets.shape().text());
  }
  const real smoothing = options.label_smoothing;
  if (!(smoothing >= 0 && smoothing <= 1))
    fail("cross_entropy: label smoothing {} is outside [0, 1]", smoothing);
  const int64_t classes = logits.size(-1);
  const int64_t rows = targets.size();
  int64_t counted = 0;
  for (int64_t r = 0; r < rows; ++r) {
    if (targets[r] == options.ignore) continue;
    if (targets[r] < 0 || targets[r] >= classes) {
      fail("cross_entropy: target {} at place {} is outside [0, {})", targets[r], r, classes);
    }
    ++counted;
  }
  const real weight = options.mean ? 1 / static_cast<real>(counted) : 1;
  const int64_t rows_of_thread = grain(static_cast<double>(classes));
  Buffer losses = Buffer::zeros(rows);
  Buffer lses(rows);
  parallel_for(rows, rows_of_thread,
               [&, x = logits.data(), loss = losses.mutable_data(), lse = lses.mutable_data()](int64_t begin,
                                                                                               int64_t end) {
                 for (int64_t r = begin; r < end; ++r) {
                   if (targets[r] == options.ignore) continue;
                   loss[r] = simd().cross_entropy(x + r * classes, classes, targets[r], smoothing, &lse[r]);
                 }
               });
  Tensor y = Tensor::scalar(counted == 0 ? 0 : weight * simd().sum(losses.data(), rows));
  return record("cross_entropy", y, {&logits},
                [=, ignore = options.ignore, x = Saved(logits), lses = Saved(lses)](Gradients& g) {
                  const real scale = counted == 0 ? 0 : weight * *g.output();
                  parallel_for(
                      rows, rows_of_thread,
                      [&, x = x.data(), lse = lses.data(), dx = g.sum(0)](int64_t begin, int64_t end) {
                        for (int64_t r = begin; r < end; ++r) {
                          real* dx_row = dx.data + r * classes;
                          if (dx.fresh) std::fill_n(dx_row, classes, real(0));
                          if (targets[r] == ignore) continue;
                          simd().cross_entropy_backward(x + r * classes, lse[r], classes, targets[r],
                                                        smoothing, scale, dx_row);
                        }
                      });
                });
}

Tensor mse(const Tensor& x, const Tensor& target) {
  check_defined("mse", x, target);
  if (x.shape() != target.shape()) {
    fail("mse: x {} and target {} differ in shape", x.shape().text(), target.shape().text());
  }
  const int64_t n = x.size();
  Buffer difference(n);
  simd().sub(x.data(), target.data(), difference.mutable_data(), n);
  Tensor y = Tensor::scalar(simd().dot(difference.data(), difference.data(), n) / static_cast<real>(n));
  // y = 1/n sum d^2, d = x - target  =>  dx += 2/n d dy,  dtarget -= 2/n d dy
  return record("mse", y, {&x, &target}, [n, d = Saved(difference)](Gradients& g) {
    const real factor = 2 * *g.output() / static_cast<real>(n);
    if (real* dx = g.input(0)) simd().axpy(factor, d, dx, n);
    if (real* dt = g.input(1)) simd().axpy(-factor, d, dt, n);
  });
}

}  // namespace heed::inline HEED_PRECISION
