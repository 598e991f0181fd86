#include <algorithm>
#include <cmath>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/simd.hpp"

// Picking by number. The gradient of what was picked twice is the sum.

namespace heed::inline HEED_PRECISION {

namespace {

void check_range(const char* op, const char* what, std::span<const int32_t> indices, int64_t n) {
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] < 0 || indices[i] >= n)
      fail("{}: {} {} at place {} is outside [0, {})", op, what, indices[i], i, n);
  }
}

// y_i = x[indices_i] for rows of n reals  =>  dx[indices_i] += dy_i
Tensor pick_rows(const char* op, const Tensor& x, const Ids& indices, const Shape& shape, int64_t n) {
  Tensor y = Tensor::empty(shape);
  real* to = y.mutable_data();
  for (const int32_t index : indices.values()) to = std::copy_n(x.data() + index * n, n, to);
  return record(op, y, {&x}, [indices, n](Gradients& g) {
    const real* dy = g.output();
    real* dx = g.input(0);
    for (const int32_t index : indices.values()) {
      simd().axpy(1, dy, dx + index * n, n);
      dy += n;
    }
  });
}

}  // namespace

Tensor embedding(const Tensor& table, const Ids& ids) {
  check_defined("embedding", table);
  if (table.rank() != 2) fail("embedding: the table has shape {}, (V, D) was expected", table.shape().text());
  check_range("embedding", "id", ids.values(), table.size(0));
  return pick_rows("embedding", table, ids, ids.shape().insert(-1, table.size(1)), table.size(1));
}

Tensor select_rows(const Tensor& x, std::span<const int32_t> rows) {
  check_defined("select_rows", x);
  check_range("select_rows", "row", rows, x.size(0));
  const auto count = static_cast<int64_t>(rows.size());
  return pick_rows("select_rows", x, Ids(Shape{count}, rows), x.shape().with(0, count), x.shape().inner(0));
}

Tensor gather(const Tensor& x, const Ids& indices) {
  check_defined("gather", x);
  const int64_t n = x.size(-1);
  const Shape& shape = indices.shape();
  if (shape.rank() != x.rank() || shape.with(-1, n) != x.shape()) {
    fail("gather: indices {} and x {} differ outside the last axis", shape.text(), x.shape().text());
  }
  check_range("gather", "index", indices.values(), n);
  const int64_t picked = shape[-1];
  Tensor y = Tensor::empty(shape);
  real* out = y.mutable_data();
  for (int64_t i = 0; i < y.size(); ++i) out[i] = x.data()[i / picked * n + indices[i]];
  return record("gather", y, {&x}, [indices, picked, n](Gradients& g) {
    real* dx = g.input(0);
    for (int64_t i = 0; i < indices.size(); ++i) dx[i / picked * n + indices[i]] += g.output()[i];
  });
}

// y_btv = sum over s with ids_bs = v of x_bts  =>  dx_bts += dy_bt,ids_bs; a slot of id -1 stands in no sum.
Tensor scatter_sum(const Tensor& x, const Ids& ids, int64_t classes) {
  check_defined("scatter_sum", x);
  if (x.rank() != 3 || ids.shape() != Shape{x.size(0), x.size(2)}) {
    fail("scatter_sum: x {} and ids {}: (B, T, S) and (B, S) were expected", x.shape().text(),
         ids.shape().text());
  }
  if (classes < 1) fail("scatter_sum: V = {} must be at least 1", classes);
  const int64_t slots = x.size(2);
  for (int64_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < -1 || ids[i] >= classes)
      fail("scatter_sum: id {} at place {} is neither -1 nor in [0, {})", ids[i], i, classes);
  }
  const int64_t queries = x.size(1), rows = x.size(0) * queries;
  Tensor y = Tensor::zeros({x.size(0), queries, classes});
  real* out = y.mutable_data();
  for (int64_t row = 0; row < rows; ++row) {
    const int32_t* id = ids.values().data() + row / queries * slots;
    for (int64_t s = 0; s < slots; ++s)
      if (id[s] >= 0) out[row * classes + id[s]] += x.data()[row * slots + s];
  }
  return record("scatter_sum", y, {&x}, [=](Gradients& g) {
    const real* dy = g.output();
    real* dx = g.input(0);
    for (int64_t row = 0; row < rows; ++row) {
      const int32_t* id = ids.values().data() + row / queries * slots;
      for (int64_t s = 0; s < slots; ++s)
        if (id[s] >= 0) dx[row * slots + s] += dy[row * classes + id[s]];
    }
  });
}

Tensor one_hot(const Ids& ids, int64_t classes) {
  const Timed timed("one_hot");
  Tensor y = Tensor::zeros(ids.shape().insert(-1, classes));
  real* row = y.mutable_data();
  for (int64_t i = 0; i < ids.size(); ++i, row += classes) {
    if (ids[i] < -1 || ids[i] >= classes) {
      fail("one_hot: id {} at place {} is outside [-1, {})", ids[i], i, classes);
    }
    if (ids[i] >= 0) row[ids[i]] = 1;
  }
  return y;
}

Ids sample(const Tensor& weights, Rng& rng) {
  check_defined("sample", weights);
  const Timed timed("sample");
  const int64_t n = weights.size(-1);
  Ids drawn(weights.shape().without(-1));
  const real* row = weights.data();
  for (int64_t r = 0; r < drawn.size(); ++r, row += n) {
    double total = 0;
    for (int64_t i = 0; i < n; ++i) {
      if (!(row[i] >= 0) || std::isinf(row[i])) {
        fail("sample: weight {} at place {} of row {} is negative or not finite", row[i], i, r);
      }
      total += static_cast<double>(row[i]);
    }
    // The first slot whose sum is above the draw; rounding may leave none, then the last with a weight.
    const double draw = rng.uniform() * total;
    int32_t slot = -1;
    double sum = 0;
    for (int64_t i = 0; i < n && sum <= draw; ++i) {
      sum += static_cast<double>(row[i]);
      if (row[i] > 0) slot = static_cast<int32_t>(i);
    }
    drawn.values()[static_cast<size_t>(r)] = slot;
  }
  return drawn;
}

}  // namespace heed::inline HEED_PRECISION
