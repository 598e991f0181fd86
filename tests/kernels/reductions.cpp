#include <doctest/doctest.h>

#include <string>

#include "tests/kernels/support.hpp"

namespace heed::kernels {

TEST_CASE_TEMPLATE("sums, dot products and maxima", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    const std::string arch = t->arch;
    CAPTURE(arch);
    CHECK(t->sum(nullptr, 0) == T(0));
    CHECK(t->dot(nullptr, nullptr, 0) == T(0));
    CHECK(t->max(nullptr, 0) == -std::numeric_limits<T>::infinity());
    for (const int64_t n : sizes()) {
      const auto a = random<T>(n, 1, -3, -1), b = random<T>(n, 2, 1, 3);
      Exact sum = 0, dot = 0, squares = 0, largest = a[0];
      for (std::size_t i = 0; i < a.size(); ++i) {
        sum += a[i];
        dot += Exact(a[i]) * b[i];
        squares += Exact(a[i]) * a[i];
        largest = std::max(largest, Exact(a[i]));
      }
      CAPTURE(n);
      CHECK(tests::close(t->sum(a.data(), n), static_cast<double>(sum), 4 * eps<T>(), 0));
      CHECK(tests::close(t->dot(a.data(), b.data(), n), static_cast<double>(dot), 4 * eps<T>(), 0));
      CHECK(tests::close(t->sum_squares(a.data(), n), static_cast<double>(squares), 4 * eps<double>(), 0));
      CHECK(t->max(a.data(), n) == static_cast<T>(largest));  // all negative: padding must not win
    }
  }
}

TEST_CASE_TEMPLATE("a NaN anywhere is the maximum", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t n : sizes()) {
      for (int64_t i = 0; i < n; ++i) {
        auto x = random<T>(n, 1);
        x[static_cast<std::size_t>(i)] = std::numeric_limits<T>::quiet_NaN();
        REQUIRE(std::isnan(t->max(x.data(), n)));
      }
    }
  }
}

TEST_CASE("squares of floats are summed where they cannot overflow") {
  const std::vector<float> x(100, 1e30F);
  for (const Table<float>* t : tables<float>())
    CHECK(tests::close(t->sum_squares(x.data(), 100), 1e62, 1e-6, 0));
}

TEST_CASE_TEMPLATE("a bias is added to every row; rows are summed into one", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t n : sizes()) {
      for (const int64_t rows : {1, 2, 5}) {
        const auto x = random<T>(rows * n, 1), bias = random<T>(n, 2);
        std::vector<T> y(x.size());
        auto total = bias;
        t->add_to_rows(x.data(), bias.data(), y.data(), rows, n);
        t->sum_rows(x.data(), total.data(), rows, n);
        std::vector<Exact> want_y, want_total(bias.begin(), bias.end());
        for (std::size_t i = 0; i < x.size(); ++i) {
          const std::size_t c = i % static_cast<std::size_t>(n);
          want_y.push_back(Exact(x[i]) + bias[c]);
          want_total[c] += x[i];
        }
        CHECK(distance(y, want_y, 0.1) < 1);
        CHECK(distance(total, want_total, 4) < 2);
      }
    }
  }
}

}  // namespace heed::kernels
