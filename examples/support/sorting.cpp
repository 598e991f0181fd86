#include "examples/support/sorting.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "autograd/error.hpp"

namespace heed::examples {

namespace {

// A number alone would do, but what tells 0.412 from 0.413 is then small beside what tells 0.1 from 0.9.
void write_features(double x, real* out) {
  *out++ = real(4 * x - 2);
  for (int k = 0; k < 8; ++k) {
    const double angle = std::ldexp(std::numbers::pi * x, k);
    *out++ = real(std::sin(angle));
    *out++ = real(std::cos(angle));
  }
}

}  // namespace

Unsorted draw_unsorted(int64_t batch, int64_t count, Rng& rng, bool crowded) {
  Unsorted u{.numbers = std::vector<double>(size_t(batch * count)),
             .items = Tensor::empty({batch, count, number_features}),
             .lengths = std::vector<int32_t>(size_t(batch), int32_t(count)),
             .sorted = Ids({batch, count})};
  real* features = u.items.mutable_data();
  double low = 0, width = 1;
  for (int64_t i = 0; i < batch * count; ++i) {
    if (crowded && i % count == 0) {
      width = i / count % 2 == 0 ? 1 : rng.uniform(0.05, 1);
      low = rng.uniform(0, 1 - width);
    }
    double& x = u.numbers[size_t(i)];
    x = low + width * rng.uniform();
    write_features(x, features);
    features += number_features;
  }
  for (int64_t b = 0; b < batch; ++b) {
    const auto order = u.sorted.values().subspan(size_t(b * count), size_t(count));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](int32_t s) { return u.numbers[size_t(b * count + s)]; });
  }
  return u;
}

Unsorted Unsorted::select(std::span<const int32_t> rows) const {
  const int64_t count = sorted.shape()[1], features = count * number_features;
  const auto n = int64_t(rows.size());
  Unsorted some{{}, Tensor::empty({n, count, number_features}), {}, sorted.select(rows)};
  real* to = some.items.mutable_data();
  for (const int32_t row : rows) {
    const auto begin = numbers.begin() + row * count;
    some.numbers.insert(some.numbers.end(), begin, begin + count);
    some.lengths.push_back(lengths[size_t(row)]);
    to = std::copy_n(items.data() + row * features, features, to);
  }
  return some;
}

double share_of_equal_rows(const Ids& answer, const Ids& expected) {
  if (answer.shape() != expected.shape() || answer.shape().rank() != 2 || answer.size() == 0) {
    fail("share_of_equal_rows: {} and {} are not the same (B, T)", answer.shape().text(),
         expected.shape().text());
  }
  const int64_t rows = answer.shape()[0], count = answer.shape()[1];
  int64_t right = 0;
  for (int64_t b = 0; b < rows; ++b) {
    const auto begin = size_t(b * count);
    right += std::ranges::equal(answer.values().subspan(begin, size_t(count)),
                                expected.values().subspan(begin, size_t(count)));
  }
  return double(right) / double(rows);
}

}  // namespace heed::examples
