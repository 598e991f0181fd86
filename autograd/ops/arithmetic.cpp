#include <algorithm>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

// Elementwise arithmetic of two tensors whose shapes broadcast. Each op is a struct of formulas:
// y = f(a, b), and what it adds to da and db for a given dy.

namespace heed::inline HEED_PRECISION {

namespace {

struct Add {
  static constexpr const char* name = "add";
  static constexpr bool saves = false;  // the gradient does not depend on the values
  static auto kernel() { return simd().add; }
  static real f(real a, real b) { return a + b; }
  static real da(real /*a*/, real /*b*/, real dy) { return dy; }
  static real db(real /*a*/, real /*b*/, real dy) { return dy; }
};

struct Sub {
  static constexpr const char* name = "sub";
  static constexpr bool saves = false;
  static auto kernel() { return simd().sub; }
  static real f(real a, real b) { return a - b; }
  static real da(real /*a*/, real /*b*/, real dy) { return dy; }
  static real db(real /*a*/, real /*b*/, real dy) { return -dy; }
};

struct Mul {
  static constexpr const char* name = "mul";
  static constexpr bool saves = true;
  static auto kernel() { return simd().mul; }
  static real f(real a, real b) { return a * b; }
  static real da(real /*a*/, real b, real dy) { return b * dy; }
  static real db(real a, real /*b*/, real dy) { return a * dy; }
};

struct Div {
  static constexpr const char* name = "div";
  static constexpr bool saves = true;
  static auto kernel() { return simd().div; }
  static real f(real a, real b) { return a / b; }
  static real da(real /*a*/, real b, real dy) { return dy / b; }
  static real db(real a, real b, real dy) { return -a / (b * b) * dy; }
};

// The sizes of y and the steps of an operand along its four axes, right-aligned; 0 where it repeats itself.
struct Steps {
  int64_t size[4];
  int64_t step[4];

  Steps(const Shape& y, const Shape& x) {
    int64_t stride = 1;
    for (int i = 3; i >= 0; --i) {
      const int from_right = i - 4;
      size[i] = -from_right <= y.rank() ? y[from_right] : 1;
      const int64_t own = -from_right <= x.rank() ? x[from_right] : 1;
      step[i] = own == 1 ? 0 : stride;
      stride *= own;
    }
  }
};

// Calls body(element of y, of a, of b, count, step of a, step of b) for each row along the last axis.
template <class F>
void for_rows(const Steps& a, const Steps& b, F body) {
  int64_t y = 0;
  for (int64_t i = 0; i < a.size[0]; ++i) {
    for (int64_t j = 0; j < a.size[1]; ++j) {
      for (int64_t k = 0; k < a.size[2]; ++k, y += a.size[3]) {
        body(y, i * a.step[0] + j * a.step[1] + k * a.step[2], i * b.step[0] + j * b.step[1] + k * b.step[2],
             a.size[3], a.step[3], b.step[3]);
      }
    }
  }
}

// for i < n: f(i, sa i, sb i), with the usual steps 0 and 1 known to the compiler, so that it vectorises.
template <class F>
void for_steps(int64_t n, int64_t sa, int64_t sb, F f) {
  if (sa == 1 && sb == 1) {
    for (int64_t i = 0; i < n; ++i) f(i, i, i);
  } else if (sa == 1 && sb == 0) {
    for (int64_t i = 0; i < n; ++i) f(i, i, 0);
  } else {
    for (int64_t i = 0; i < n; ++i) f(i, sa * i, sb * i);
  }
}

// dx += what `term` says for each element of y; x is an operand, broadcast.
template <class Term>
void add_gradient(const Steps& a, const Steps& b, const real* dy, real* dx, bool first, Term term) {
  for_rows(a, b, [&](int64_t y, int64_t ia, int64_t ib, int64_t n, int64_t sa, int64_t sb) {
    if (first) {
      for_steps(n, sa, sb,
                [&](int64_t i, int64_t ja, int64_t jb) { dx[ia + ja] += term(ia + ja, ib + jb, dy[y + i]); });
    } else {
      for_steps(n, sa, sb,
                [&](int64_t i, int64_t ja, int64_t jb) { dx[ib + jb] += term(ia + ja, ib + jb, dy[y + i]); });
    }
  });
}

// What a backward needs of an operand: nothing, if the gradient does not depend on the values.
template <class Op>
Saved keep(const Tensor& x) {
  return Op::saves ? Saved(x) : Saved();
}
template <class Op>
const real* values(const Saved& x) {
  return Op::saves ? x.data() : nullptr;
}
template <class Op>
real value(const real* x, int64_t i) {
  return Op::saves ? x[i] : real(0);
}

// dx_i += term(i)
template <class Term>
void add_or_assign(const Gradients::Sum& dx, int64_t n, Term term) {
  if (dx.fresh) {
    for (int64_t i = 0; i < n; ++i) dx.data[i] = term(i);
  } else {
    for (int64_t i = 0; i < n; ++i) dx.data[i] += term(i);
  }
}

// The usual case has a path of its own: a vector kernel forward, and a closure half as large.
template <class Op>
Tensor same_shape(const Tensor& a, const Tensor& b) {
  Tensor y = empty_like(a);
  real* out = y.mutable_data();
  parallel_for(y.size(), grain(0.3), [&](int64_t begin, int64_t end) {
    Op::kernel()(a.data() + begin, b.data() + begin, out + begin, end - begin);
  });
  return record(Op::name, y, {&a, &b}, [va = keep<Op>(a), vb = keep<Op>(b), n = y.size()](Gradients& g) {
    const real* dy = g.output();
    const real* pa = values<Op>(va);
    const real* pb = values<Op>(vb);
    if (g.wants(0)) {
      add_or_assign(g.sum(0), n,
                    [=](int64_t i) { return Op::da(value<Op>(pa, i), value<Op>(pb, i), dy[i]); });
    }
    if (g.wants(1)) {
      add_or_assign(g.sum(1), n,
                    [=](int64_t i) { return Op::db(value<Op>(pa, i), value<Op>(pb, i), dy[i]); });
    }
  });
}

template <class Op>
Tensor broadcasted(const Tensor& a, const Tensor& b) {
  const Shape shape = broadcast(Op::name, a.shape(), b.shape());
  Tensor y = Tensor::empty(shape);
  for_rows(Steps(shape, a.shape()), Steps(shape, b.shape()),
           [pa = a.data(), pb = b.data(), out = y.mutable_data()](int64_t iy, int64_t ia, int64_t ib,
                                                                  int64_t n, int64_t sa, int64_t sb) {
             for_steps(n, sa, sb, [&](int64_t i, int64_t ja, int64_t jb) {
               out[iy + i] = Op::f(pa[ia + ja], pb[ib + jb]);
             });
           });
  return record(Op::name, y, {&a, &b},
                [va = keep<Op>(a), vb = keep<Op>(b), ta = Steps(shape, a.shape()),
                 tb = Steps(shape, b.shape())](Gradients& g) {
                  const real* dy = g.output();
                  const real* pa = values<Op>(va);
                  const real* pb = values<Op>(vb);
                  if (real* da = g.input(0)) {
                    add_gradient(ta, tb, dy, da, true, [&](int64_t i, int64_t j, real d) {
                      return Op::da(value<Op>(pa, i), value<Op>(pb, j), d);
                    });
                  }
                  if (real* db = g.input(1)) {
                    add_gradient(ta, tb, dy, db, false, [&](int64_t i, int64_t j, real d) {
                      return Op::db(value<Op>(pa, i), value<Op>(pb, j), d);
                    });
                  }
                });
}

template <class Op>
Tensor binary(const Tensor& a, const Tensor& b) {
  check_defined(Op::name, a, b);
  return a.shape() == b.shape() ? same_shape<Op>(a, b) : broadcasted<Op>(a, b);
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return binary<Add>(a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return binary<Sub>(a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return binary<Mul>(a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return binary<Div>(a, b); }

Tensor neg(const Tensor& x) {
  check_defined("neg", x);
  return scale(x, -1);
}

Tensor scale(const Tensor& x, real factor) {
  check_defined("scale", x);
  Tensor y = empty_like(x);
  simd().scale(factor, x.data(), y.mutable_data(), x.size());
  // y = f x  =>  dx += f dy
  return record("scale", y, {&x},
                [factor, n = x.size()](Gradients& g) { simd().axpy(factor, g.output(), g.input(0), n); });
}

Tensor shift(const Tensor& x, real term) {
  check_defined("shift", x);
  Tensor y = empty_like(x);
  std::transform(x.data(), x.data() + x.size(), y.mutable_data(),
                 [term](real value) { return value + term; });
  // y = x + t  =>  dx += dy
  return record("shift", y, {&x},
                [n = x.size()](Gradients& g) { simd().axpy(1, g.output(), g.input(0), n); });
}

Tensor where(const Ids& condition, const Tensor& a, const Tensor& b) {
  check_defined("where", a, b);
  if (condition.shape() != a.shape() || a.shape() != b.shape()) {
    fail("where: condition {}, a {} and b {} have to be of one shape", condition.shape().text(),
         a.shape().text(), b.shape().text());
  }
  Tensor y = empty_like(a);
  real* out = y.mutable_data();
  for (int64_t i = 0; i < y.size(); ++i) out[i] = condition[i] != 0 ? a.data()[i] : b.data()[i];
  // dy goes to the one that was chosen
  return record("where", y, {&a, &b}, [condition](Gradients& g) {
    real* da = g.input(0);
    real* db = g.input(1);
    for (int64_t i = 0; i < condition.size(); ++i) {
      real* chosen = condition[i] != 0 ? da : db;
      if (chosen != nullptr) chosen[i] += g.output()[i];
    }
  });
}

}  // namespace heed::inline HEED_PRECISION
