#include <algorithm>
#include <limits>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

// Ops that only move numbers. A backward moves them the opposite way and adds.

namespace heed::inline HEED_PRECISION {

namespace {

// Where element (i, j, k, l) of a permuted tensor stands in x: the sum of index times step.
struct Permutation {
  int64_t size[4] = {1, 1, 1, 1};
  int64_t step[4] = {};

  Permutation(const Shape& x, const int* axes) {
    const int missing = 4 - x.rank();
    for (int i = 0; i < x.rank(); ++i) {
      size[missing + i] = x[axes[i]];
      step[missing + i] = x.inner(axes[i]);
    }
  }

  // Calls f(element of the result, element of x) for all, in the result's order.
  template <class F>
  void walk(F f) const {
    int64_t y = 0;
    for (int64_t i = 0; i < size[0]; ++i) {
      for (int64_t j = 0; j < size[1]; ++j) {
        for (int64_t k = 0; k < size[2]; ++k) {
          const int64_t x = i * step[0] + j * step[1] + k * step[2];
          for (int64_t l = 0; l < size[3]; ++l) f(y++, x + l * step[3]);
        }
      }
    }
  }
};

// Copies `rows` runs of n reals; from and to advance by their own steps.
void copy_runs(const real* from, int64_t from_step, real* to, int64_t to_step, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) std::copy_n(from + r * from_step, n, to + r * to_step);
}
void add_runs(const real* from, int64_t from_step, real* to, int64_t to_step, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) simd().axpy(1, from + r * from_step, to + r * to_step, n);
}

}  // namespace

Tensor permute(const Tensor& x, std::span<const int> axes) {
  check_defined("permute", x);
  const int rank = x.rank();
  int order[Shape::max_rank] = {};
  int64_t sizes[Shape::max_rank] = {};
  unsigned seen = 0;
  if (static_cast<int>(axes.size()) != rank)
    fail("permute: {} axes for shape {}", axes.size(), x.shape().text());
  for (int i = 0; i < rank; ++i) {
    order[i] = x.shape().axis(axes[static_cast<size_t>(i)]);
    sizes[i] = x.size(order[i]);
    seen |= 1U << static_cast<unsigned>(order[i]);
  }
  if (seen != (1U << static_cast<unsigned>(rank)) - 1) {
    fail("permute: axes ({}) are no permutation of those of {}", fmt::join(axes, ", "), x.shape().text());
  }
  Tensor y = Tensor::empty(Shape(std::span<const int64_t>(sizes, static_cast<size_t>(rank))));
  const Permutation permutation(x.shape(), order);
  permutation.walk([from = x.data(), to = y.mutable_data()](int64_t i, int64_t j) { to[i] = from[j]; });
  return record("permute", y, {&x}, [permutation](Gradients& g) {
    permutation.walk([dy = g.output(), dx = g.input(0)](int64_t i, int64_t j) { dx[j] += dy[i]; });
  });
}

Tensor transpose(const Tensor& x, int a, int b) {
  check_defined("transpose", x);
  int order[Shape::max_rank] = {0, 1, 2, 3};
  std::swap(order[x.shape().axis(a)], order[x.shape().axis(b)]);
  return permute(x, std::span<const int>(order, static_cast<size_t>(x.rank())));
}

Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end) {
  check_defined("slice", x);
  const int64_t size = x.size(axis);
  if (begin < 0 || begin > end || end > size) {
    fail("slice: [{}, {}) of axis {} of {} is out of range", begin, end, axis, x.shape().text());
  }
  const int64_t outer = x.shape().outer(axis);
  const int64_t inner = x.shape().inner(axis);
  const int64_t run = (end - begin) * inner;
  Tensor y = Tensor::empty(x.shape().with(axis, end - begin));
  copy_runs(x.data() + begin * inner, size * inner, y.mutable_data(), run, outer, run);
  // dy is added into its region of dx: T slices of a sequence cost T, not T^2
  return record("slice", y, {&x}, [=, start = begin * inner, step = size * inner](Gradients& g) {
    add_runs(g.output(), run, g.input(0) + start, step, outer, run);
  });
}

Tensor select(const Tensor& x, int axis, int64_t index) {
  if (index < 0 || index >= x.size(axis)) {
    fail("select: index {} of axis {} of {} is out of range", index, axis, x.shape().text());
  }
  return slice(x, axis, index, index + 1).reshape(x.shape().without(axis));
}

Tensor concat(std::span<const Tensor> parts, int axis) {
  check_defined("concat");  // the parts one by one, below
  if (parts.empty()) fail("concat: no tensors");
  const Shape& first = parts[0].shape();
  const int at = first.axis(axis);
  int64_t total = 0;
  for (const Tensor& part : parts) {
    if (!part.defined()) fail("concat: part {} is undefined", &part - parts.data());
    if (part.rank() != first.rank() || part.shape().with(at, 0) != first.with(at, 0)) {
      fail("concat: {} and {} differ outside axis {}", first.text(), part.shape().text(), at);
    }
    total += part.size(at);
  }
  Tensor y = Tensor::empty(first.with(at, total));
  const int64_t outer = first.outer(at);
  const int64_t row = y.shape().inner(at) * total;
  PoolVector<int64_t> runs;
  PoolVector<const Tensor*> inputs;
  real* to = y.mutable_data();
  for (const Tensor& part : parts) {
    const int64_t run = part.shape().inner(at) * part.size(at);
    copy_runs(part.data(), run, to, row, outer, run);
    to += run;
    runs.push_back(run);
    inputs.push_back(&part);
  }
  return record("concat", y, std::span<const Tensor* const>(inputs), [runs, outer, row](Gradients& g) {
    const real* from = g.output();
    for (size_t i = 0; i < runs.size(); ++i) {
      if (real* dx = g.input(static_cast<int>(i))) add_runs(from, row, dx, runs[i], outer, runs[i]);
      from += runs[i];
    }
  });
}

Tensor stack(std::span<const Tensor> parts, int axis) {
  if (parts.empty()) fail("stack: no tensors");
  const int at = axis < 0 ? axis + parts[0].rank() + 1 : axis;
  TensorList raised;
  for (const Tensor& part : parts) {
    if (!part.defined()) fail("stack: part {} is undefined", &part - parts.data());
    if (part.shape() != parts[0].shape()) {
      fail("stack: shapes {} and {} differ", parts[0].shape().text(), part.shape().text());
    }
    raised.push_back(part.reshape(part.shape().insert(at, 1)));
  }
  return concat(raised, at);
}

TensorList split(const Tensor& x, int axis, std::span<const int64_t> sizes) {
  int64_t left = x.size(axis);
  for (const int64_t size : sizes) left = size < 0 || size > left ? -1 : left - size;
  if (left != 0) {
    fail("split: sizes ({}) do not add up to axis {} of {}", fmt::join(sizes, ", "), axis, x.shape().text());
  }
  TensorList parts;
  int64_t begin = 0;
  for (const int64_t size : sizes) {
    parts.push_back(slice(x, axis, begin, begin + size));
    begin += size;
  }
  return parts;
}

Tensor pad(const Tensor& x, int axis, int64_t before, int64_t after, real value) {
  check_defined("pad", x);
  if (before < 0 || after < 0) fail("pad: ({}, {}) is negative", before, after);
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  if (before > most - x.size(axis) || after > most - x.size(axis) - before) {
    fail("pad: {} and {} more along axis {} of {}: more elements than fit into memory", before, after, axis,
         x.shape().text());
  }
  const Shape shape = x.shape().with(axis, x.size(axis) + before + after);
  const int64_t outer = x.shape().outer(axis);
  const int64_t inner = x.shape().inner(axis);
  const int64_t run = x.size(axis) * inner;
  const int64_t row = run + (before + after) * inner;
  Tensor y = Tensor::full(shape, value);
  copy_runs(x.data(), run, y.mutable_data() + before * inner, row, outer, run);
  return record("pad", y, {&x}, [=, start = before * inner](Gradients& g) {
    add_runs(g.output() + start, row, g.input(0), run, outer, run);
  });
}

// Part k of the windows is x moved by `before - k dilation` steps: one run of rows in each batch row, C reals
// of every K C. Backward moves the same runs back and adds: a row of x is in up to K windows.
Tensor windows(const Tensor& x, int64_t width, int64_t dilation, int64_t before) {
  check_defined("windows", x);
  if (x.rank() != 3) fail("windows: x is {}, wants (B, T, C)", x.shape().text());
  constexpr int64_t most = int64_t{1} << 30;  // products of two of them fit
  if (width < 1 || width > most || dilation < 1 || dilation > most || before < 0 || before > most) {
    fail("windows: width {}, dilation {}, before {}: wants at least 1, 1, 0 and at most {}", width, dilation,
         before, most);
  }
  const int64_t batch = x.size(0), steps = x.size(1), features = x.size(2);
  Tensor y = Tensor::zeros({batch, steps, width, features});  // told if that is too much
  // f(from, to, rows): rows of x from `from` on, one every C, are rows of y from `to` on, one every K C.
  const auto walk = [=](auto f) {
    for (int64_t b = 0; b < batch; ++b) {
      for (int64_t k = 0; k < width; ++k) {
        const int64_t shift = k * dilation - before;
        const int64_t first = std::max<int64_t>(0, -shift), end = std::min(steps, steps - shift);
        if (first >= end) continue;
        f((b * steps + first + shift) * features, ((b * steps + first) * width + k) * features, end - first);
      }
    }
  };
  walk([=, from = x.data(), to = y.mutable_data()](int64_t i, int64_t j, int64_t rows) {
    copy_runs(from + i, features, to + j, width * features, rows, features);
  });
  y = y.reshape({batch, steps, width * features});
  return record("windows", y, {&x}, [=](Gradients& g) {
    walk([=, dy = g.output(), dx = g.input(0)](int64_t i, int64_t j, int64_t rows) {
      add_runs(dy + j, width * features, dx + i, features, rows, features);
    });
  });
}

// Adding zeros of the larger shape is what repeats x, and sums its gradient.
Tensor expand(const Tensor& x, Shape shape) {
  check_defined("expand", x);
  if (broadcast("expand", x.shape(), shape) != shape) {
    fail("expand: {} does not repeat to {}", x.shape().text(), shape.text());
  }
  if (x.shape() == shape) return x;
  return add(x, Tensor::zeros(shape));
}

}  // namespace heed::inline HEED_PRECISION
