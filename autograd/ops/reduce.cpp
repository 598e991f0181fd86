#include <algorithm>
#include <functional>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

// Reductions along one axis of size n: x is seen as (outer, n, inner), y as (outer, inner).

namespace heed::inline HEED_PRECISION {

namespace {

struct Axis {
  Axis(const Shape& shape, int axis, bool keep)
      : outer(shape.outer(axis)),
        n(shape[axis]),
        inner(shape.inner(axis)),
        result(keep ? shape.with(axis, 1) : shape.without(axis)) {}
  int64_t outer, n, inner;
  Shape result;
};

// y = factor sum_k x_k  =>  dx_k += factor dy for every k
Tensor scaled_sum(const char* op, const Tensor& x, const Axis& axis, real factor) {
  check_defined(op, x);
  Tensor y = Tensor::zeros(axis.result);
  real* out = y.mutable_data();
  for (int64_t o = 0; o < axis.outer; ++o) {
    const real* from = x.data() + o * axis.n * axis.inner;
    if (axis.inner == 1) {
      out[o] = simd().sum(from, axis.n);
    } else {
      simd().sum_rows(from, out + o * axis.inner, axis.n, axis.inner);
    }
  }
  if (factor != 1) simd().scale(factor, out, out, y.size());
  return record(op, y, {&x}, [axis, factor](Gradients& g) {
    real* dx = g.input(0);
    for (int64_t o = 0; o < axis.outer; ++o) {
      const real* dy = g.output() + o * axis.inner;
      for (int64_t k = 0; k < axis.n; ++k, dx += axis.inner) {
        for (int64_t i = 0; i < axis.inner; ++i) dx[i] += factor * dy[i];
      }
    }
  });
}

// NaN is larger than every number, so that the largest element is a NaN wherever there is one, and the order
// strict, as std's algorithms want it.
bool larger(real a, real b) { return a > b || (a != a && b == b); }

// The extreme element by `better(candidate, best)`; the whole gradient goes to the first of equals. NaN wins,
// in a minimum too.
template <class Better>
Tensor extreme(const char* op, const Tensor& x, const Axis& axis, Better better) {
  check_defined(op, x);
  if (axis.n == 0) fail("{}: shape {} has no element along the axis", op, x.shape().text());
  Tensor y = Tensor::empty(axis.result);
  real* out = y.mutable_data();
  PoolVector<int64_t> winners(static_cast<size_t>(y.size()));
  for (int64_t o = 0; o < axis.outer; ++o) {
    for (int64_t i = 0; i < axis.inner; ++i) {
      int64_t best = o * axis.n * axis.inner + i;
      for (int64_t k = 1, at = best + axis.inner; k < axis.n; ++k, at += axis.inner) {
        const real candidate = x.data()[at];
        const real leader = x.data()[best];
        const bool leader_is_number = leader == leader;
        if (leader_is_number && (better(candidate, leader) || candidate != candidate)) best = at;
      }
      const int64_t at = o * axis.inner + i;
      winners[static_cast<size_t>(at)] = best;
      out[at] = x.data()[best];
    }
  }
  return record(op, y, {&x}, [winners = std::move(winners)](Gradients& g) {
    real* dx = g.input(0);
    const real* dy = g.output();
    for (const int64_t winner : winners) dx[winner] += *dy++;
  });
}

}  // namespace

Tensor sum(const Tensor& x) {
  check_defined("sum", x);
  Tensor y = Tensor::scalar(simd().sum(x.data(), x.size()));
  return record("sum", y, {&x}, [n = x.size()](Gradients& g) {
    real* dx = g.input(0);
    const real dy = *g.output();
    for (int64_t i = 0; i < n; ++i) dx[i] += dy;
  });
}

Tensor mean(const Tensor& x) {
  check_defined("mean", x);
  return scale(sum(x), 1 / static_cast<real>(x.size()));
}

Tensor sum(const Tensor& x, int axis, bool keep) {
  return scaled_sum("sum", x, Axis(x.shape(), axis, keep), 1);
}

Tensor mean(const Tensor& x, int axis, bool keep) {
  return scaled_sum("mean", x, Axis(x.shape(), axis, keep), 1 / static_cast<real>(x.size(axis)));
}

Tensor max(const Tensor& x, int axis, bool keep) {
  return extreme("max", x, Axis(x.shape(), axis, keep), [](real a, real b) { return a > b; });
}

Tensor min(const Tensor& x, int axis, bool keep) {
  return extreme("min", x, Axis(x.shape(), axis, keep), [](real a, real b) { return a < b; });
}

Tensor max(const Tensor& x) { return max(x.reshape({x.size()}), 0); }
Tensor min(const Tensor& x) { return min(x.reshape({x.size()}), 0); }

namespace {

// The last axis first, so that the others keep their numbers, and of equals the first in memory wins.
using OneAxis = Tensor (*)(const Tensor& x, int axis, bool keep);
Tensor over(const char* op, OneAxis reduce, const Tensor& x, std::initializer_list<int> axes, bool keep) {
  check_defined(op, x);
  PoolVector<int> order;
  for (const int axis : axes) order.push_back(x.shape().axis(axis));
  std::sort(order.begin(), order.end(), std::greater<>());
  const auto twice = std::adjacent_find(order.begin(), order.end());
  if (twice != order.end()) fail("{}: axis {} of {} is named twice", op, *twice, x.shape().text());
  Tensor y = x;
  for (const int axis : order) y = reduce(y, axis, keep);
  return y;
}

}  // namespace

Tensor sum(const Tensor& x, std::initializer_list<int> axes, bool keep) {
  return over("sum", sum, x, axes, keep);
}
Tensor mean(const Tensor& x, std::initializer_list<int> axes, bool keep) {
  return over("mean", mean, x, axes, keep);
}
Tensor max(const Tensor& x, std::initializer_list<int> axes, bool keep) {
  return over("max", max, x, axes, keep);
}
Tensor min(const Tensor& x, std::initializer_list<int> axes, bool keep) {
  return over("min", min, x, axes, keep);
}

// y_k = sum_j<=k x_j, so x_k is in y_k and all after it:  dx_k += sum_j>=k dy_j. Exclusive: j < k, j > k.
Tensor cumsum(const Tensor& x, int axis, bool exclusive) {
  check_defined("cumsum", x);
  const Axis a(x.shape(), axis, true);
  Tensor y = empty_like(x);
  real* out = y.mutable_data();
  for (int64_t o = 0; o < a.outer; ++o) {
    for (int64_t i = 0; i < a.inner; ++i) {
      real total = 0;
      for (int64_t k = 0, at = o * a.n * a.inner + i; k < a.n; ++k, at += a.inner) {
        const real before = total;
        total += x.data()[at];
        out[at] = exclusive ? before : total;
      }
    }
  }
  return record("cumsum", y, {&x}, [a, exclusive](Gradients& g) {
    real* dx = g.input(0);
    for (int64_t o = 0; o < a.outer; ++o) {
      for (int64_t i = 0; i < a.inner; ++i) {
        real total = 0;
        for (int64_t k = a.n - 1, at = ((o + 1) * a.n - 1) * a.inner + i; k >= 0; --k, at -= a.inner) {
          const real after = total;
          total += g.output()[at];
          dx[at] += exclusive ? after : total;
        }
      }
    }
  });
}

Ids argmax(const Tensor& x) {
  const Timed timed("argmax");
  timed.moves(x.size() * int64_t(sizeof(real)));
  const int64_t n = x.size(-1);
  if (n == 0) fail("argmax: shape {} has no element along the last axis", x.shape().text());
  Ids indices(x.shape().without(-1));
  const real* row = x.data();
  for (int32_t& index : indices.values()) {
    index = static_cast<int32_t>(std::max_element(row, row + n, [](real a, real b) { return larger(b, a); }) -
                                 row);
    row += n;
  }
  return indices;
}

TopK top_k(const Tensor& x, int64_t k) {
  const Timed timed("top_k");
  timed.moves(x.size() * int64_t(sizeof(real)));
  const int64_t n = x.size(-1);
  if (k < 1 || k > n) fail("top_k: k = {} is outside [1, {}]", k, n);
  TopK top{Tensor::empty(x.shape().with(-1, k)), Ids(x.shape().with(-1, k))};
  real* values = top.values.mutable_data();
  int32_t* indices = top.indices.values().data();
  PoolVector<int32_t> order(static_cast<size_t>(n));
  for (const real* row = x.data(); row != x.data() + x.size(); row += n) {
    for (int32_t i = 0; i < n; ++i) order[static_cast<size_t>(i)] = i;
    std::partial_sort(order.begin(), order.begin() + k, order.end(), [row](int32_t a, int32_t b) {
      return larger(row[a], row[b]) || (!larger(row[b], row[a]) && a < b);
    });
    for (int64_t i = 0; i < k; ++i) {
      *indices++ = order[static_cast<size_t>(i)];
      *values++ = row[order[static_cast<size_t>(i)]];
    }
  }
  return top;
}

}  // namespace heed::inline HEED_PRECISION
