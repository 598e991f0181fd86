#include <algorithm>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

namespace heed::inline HEED_PRECISION {

namespace {

// C_i = op(A_i) op(B_i) for i < count, op(A) being (m, k) and op(B) (k, n). A step of 0 repeats a matrix.
struct Products {
  Transposed transposed;
  int64_t count, m, n, k;
  int64_t step_a, step_b;

  [[nodiscard]] int64_t lda() const { return transposed.a ? m : k; }
  [[nodiscard]] int64_t ldb() const { return transposed.b ? k : n; }
};

// Threads split the batch; a single product is split inside gemm.
template <class F>
void for_products(const Products& p, bool independent, F f) {
  const double work = static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
  parallel_for(p.count, independent ? grain(0.03 * work) : p.count, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i);
  });
}

Products plan(const Tensor& a, const Tensor& b, Transposed transposed) {
  const auto refuse = [&](const char* why) {
    fail("matmul: {}{} x {}{}: {}", a.shape().text(), transposed.a ? "^T" : "", b.shape().text(),
         transposed.b ? "^T" : "", why);
  };
  if (a.rank() < 2 || b.rank() < 2) refuse("matrices were expected");
  Products p{transposed, 1, a.size(-2), b.size(-1), a.size(-1), 0, 0};
  if (transposed.a) std::swap(p.m, p.k);
  if (transposed.b) p.n = b.size(-2);
  const int64_t inner = transposed.b ? b.size(-1) : b.size(-2);
  if (inner != p.k) refuse(fmt::format("inner sizes {} and {} differ", p.k, inner).c_str());
  if (b.rank() == 2) {
    if (transposed.a) {
      p.count = a.shape().outer(-2);
      p.step_a = p.m * p.k;
    } else {
      p.m = a.shape().outer(-1);  // one product: the rows of all matrices below each other
    }
    return p;
  }
  if (a.rank() != b.rank() || a.shape().with(-1, 0).with(-2, 0) != b.shape().with(-1, 0).with(-2, 0)) {
    refuse("leading sizes differ");
  }
  p.step_a = p.m * p.k;
  p.step_b = p.k * p.n;
  p.count = b.shape().outer(-2);
  return p;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, Transposed transposed) {
  check_defined("matmul", a, b);
  const Products p = plan(a, b, transposed);
  const int64_t rows = transposed.a ? a.size(-1) : a.size(-2);
  Tensor c = Tensor::empty(a.shape().with(-2, rows).with(-1, p.n));
  for_products(p, true, [&, pa = a.data(), pb = b.data(), pc = c.mutable_data()](int64_t i) {
    simd().gemm(p.transposed.a, p.transposed.b, p.m, p.n, p.k, 1, pa + i * p.step_a, p.lda(),
                pb + i * p.step_b, p.ldb(), false, pc + i * p.m * p.n, p.n);
  });
  // C = op(A) op(B)  =>  d op(A) += dC op(B)^T,  d op(B) += op(A)^T dC;
  // where A (or B) is stored transposed, the product is the transposed one
  return record("matmul", c, {&a, &b}, [p, a = Saved(a), b = Saved(b)](Gradients& g) {
    const bool ta = p.transposed.a;
    const bool tb = p.transposed.b;
    const real* dc = g.output();
    const int64_t step_c = p.m * p.n;
    if (g.wants(0)) {
      const real* pb = b.data();
      const auto da = g.sum(0);
      for_products(p, p.step_a != 0, [&](int64_t i) {
        const real* bi = pb + i * p.step_b;
        const real* dci = dc + i * step_c;
        real* dai = da.data + i * p.step_a;
        if (ta) {
          simd().gemm(tb, true, p.k, p.m, p.n, 1, bi, p.ldb(), dci, p.n, !da.fresh, dai, p.m);
        } else {
          simd().gemm(false, !tb, p.m, p.k, p.n, 1, dci, p.n, bi, p.ldb(), !da.fresh, dai, p.k);
        }
      });
    }
    if (g.wants(1)) {
      const real* pa = a.data();
      const bool repeated = p.step_b == 0 && p.count != 1;  // all products add into one gradient
      const auto db = repeated ? Gradients::Sum{g.input(1), false} : g.sum(1);
      for_products(p, p.step_b != 0, [&](int64_t i) {
        const real* ai = pa + i * p.step_a;
        const real* dci = dc + i * step_c;
        real* dbi = db.data + i * p.step_b;
        if (tb) {
          simd().gemm(true, ta, p.n, p.k, p.m, 1, dci, p.n, ai, p.lda(), !db.fresh, dbi, p.k);
        } else {
          simd().gemm(!ta, false, p.k, p.n, p.m, 1, ai, p.lda(), dci, p.n, !db.fresh, dbi, p.n);
        }
      });
    }
  });
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_defined("linear", x, weight);
  if (weight.rank() != 2 || x.rank() < 1 || x.size(-1) != weight.size(1)) {
    fail("linear: x {} and weight {}: (..., I) and (O, I) were expected", x.shape().text(),
         weight.shape().text());
  }
  const int64_t out = weight.size(0);
  const int64_t in = weight.size(1);
  const int64_t rows = x.shape().outer(-1);
  if (bias.defined() && bias.shape() != Shape{out}) {
    fail("linear: bias {} for weight {}: ({}) was expected", bias.shape().text(), weight.shape().text(), out);
  }
  Tensor y = Tensor::empty(x.shape().with(-1, out));
  real* py = y.mutable_data();
  simd().gemm(false, true, rows, out, in, 1, x.data(), in, weight.data(), in, false, py, out);
  if (bias.defined()) simd().add_to_rows(py, bias.data(), py, rows, out);
  // y = x W^T + b  =>  dx += dy W,  dW += dy^T x,  db += the sum of dy over rows
  return record("linear", y, {&x, &weight, &bias}, [=, x = Saved(x), w = Saved(weight)](Gradients& g) {
    const real* dy = g.output();
    if (g.wants(0)) {
      const real* pw = w.data();
      const auto dx = g.sum(0);
      simd().gemm(false, false, rows, in, out, 1, dy, out, pw, in, !dx.fresh, dx.data, in);
    }
    if (g.wants(1)) {
      const real* px = x.data();
      const auto dw = g.sum(1);
      simd().gemm(true, false, out, in, rows, 1, dy, out, px, in, !dw.fresh, dw.data, in);
    }
    if (real* db = g.input(2)) simd().sum_rows(dy, db, rows, out);
  });
}

}  // namespace heed::inline HEED_PRECISION
