#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

// Normalization of each row of the last axis; kernels/norms.hpp computes a row, forward and backward.

namespace heed::inline HEED_PRECISION {

namespace {

void check_factor(const char* op, const char* name, const Tensor& factor, const Tensor& x) {
  check_defined(op, x);
  if (x.rank() == 0) fail("{}: a scalar has no axis", op);
  if (factor.defined() && factor.shape() != Shape{x.size(-1)}) {
    fail("{}: {} {} for x {}: ({}) was expected", op, name, factor.shape().text(), x.shape().text(),
         x.size(-1));
  }
}

// Row r of a gradient; null where nobody wants it.
real* row_of(const Gradients::Sum& dx, int64_t r, int64_t n) { return dx ? dx.data + r * n : nullptr; }

const real* data_or_null(const Tensor& x) { return x.defined() ? x.data() : nullptr; }

}  // namespace

// With the row's mean m, r = 1 / sqrt(var + eps) and h = (x - m) r:  y = gamma h + beta, so
//   dgamma += dy h,  dbeta += dy,  dh = gamma dy,
// and, m and r depending on every x,  dh_j/dx_i = r ([i = j] - 1/n - h_i h_j / n), which gives
//   dx_i = sum_j dh_j dh_j/dx_i = r (dh_i - mean(dh) - h_i mean(dh h)).
Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, real eps) {
  check_factor("layer_norm", "gamma", gamma, x);
  check_factor("layer_norm", "beta", beta, x);
  const int64_t n = x.size(-1);
  const int64_t rows = x.shape().outer(-1);
  Tensor y = empty_like(x);
  Buffer moments(2 * rows);  // mean and 1 / standard deviation of each row
  parallel_for(rows, grain(0.5 * static_cast<double>(n)),
               [&, px = x.data(), pg = data_or_null(gamma), pb = data_or_null(beta), py = y.mutable_data(),
                m = moments.mutable_data()](int64_t begin, int64_t end) {
                 for (int64_t r = begin; r < end; ++r) {
                   simd().layer_norm(px + r * n, pg, pb, eps, py + r * n, n, &m[2 * r], &m[2 * r + 1]);
                 }
               });
  return record("layer_norm", y, {&x, &gamma, &beta},
                [=, x = Saved(x), gamma = Saved(gamma), moments = Saved(moments)](Gradients& g) {
                  const real* px = x.data();
                  const real* pg = gamma ? gamma.data() : nullptr;
                  const real* m = moments.data();
                  real* dgamma = g.input(1);
                  real* dbeta = g.input(2);
                  const auto dx = g.sum(0);
                  // the rows' shares of dgamma and dbeta are added in order, whatever the threads
                  for (int64_t r = 0; r < rows; ++r) {
                    real* dx_row = row_of(dx, r, n);
                    simd().layer_norm_backward(px + r * n, pg, g.output() + r * n, m[2 * r], m[2 * r + 1],
                                               !dx.fresh, dx_row, dgamma, dbeta, n);
                  }
                });
}

// The same without a mean: r = 1 / sqrt(mean(x^2) + eps), h = x r, y = gamma h, so
//   dgamma += dy h,  dh = gamma dy,  dx_i += r (dh_i - h_i mean(dh h)).
Tensor rms_norm(const Tensor& x, const Tensor& gamma, real eps) {
  check_factor("rms_norm", "gamma", gamma, x);
  const int64_t n = x.size(-1);
  const int64_t rows = x.shape().outer(-1);
  Tensor y = empty_like(x);
  Buffer scales(rows);  // 1 / root mean square of each row
  parallel_for(rows, grain(0.5 * static_cast<double>(n)),
               [&, px = x.data(), pg = data_or_null(gamma), py = y.mutable_data(), s = scales.mutable_data()](
                   int64_t begin, int64_t end) {
                 for (int64_t r = begin; r < end; ++r)
                   simd().rms_norm(px + r * n, pg, eps, py + r * n, n, &s[r]);
               });
  return record("rms_norm", y, {&x, &gamma},
                [=, x = Saved(x), gamma = Saved(gamma), scales = Saved(scales)](Gradients& g) {
                  const real* px = x.data();
                  const real* pg = gamma ? gamma.data() : nullptr;
                  const real* s = scales.data();
                  real* dgamma = g.input(1);
                  const auto dx = g.sum(0);
                  for (int64_t r = 0; r < rows; ++r) {
                    real* dx_row = row_of(dx, r, n);
                    simd().rms_norm_backward(px + r * n, pg, g.output() + r * n, s[r], !dx.fresh, dx_row,
                                             dgamma, n);
                  }
                });
}

}  // namespace heed::inline HEED_PRECISION
