#include <doctest/doctest.h>

#include <string>

#include "tests/kernels/support.hpp"

namespace heed::kernels {

namespace {

using Bytes = std::vector<uint8_t>;

// Softmax by its definition; `log` gives its logarithm. Not seen: weight 0.
template <class T>
std::vector<Exact> reference(const std::vector<T>& x, const Bytes& seen, bool log) {
  Exact sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += seen[i] ? std::exp(Exact(x[i])) : 0;
  std::vector<Exact> y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Exact log_weight = seen[i] ? x[i] - std::log(sum) : -std::numeric_limits<Exact>::infinity();
    y.push_back(log ? log_weight : std::exp(log_weight));
  }
  return y;
}

// All seen, every other slot, only the last, and about two thirds.
std::vector<Bytes> masks(int64_t n) {
  const auto size = static_cast<std::size_t>(n);
  std::vector<Bytes> list(4, Bytes(size, 0));
  for (std::size_t i = 0; i < size; ++i) {
    list[0][i] = 1;
    list[1][i] = i % 2 == 0;
    list[3][i] = i == 0 || (i * 7) % 3 != 0 ? 255 : 0;  // any byte but 0 is seen
  }
  list[2][size - 1] = 1;
  return list;
}

}  // namespace

TEST_CASE_TEMPLATE("softmax and its logarithm, masked or not", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    const std::string arch = t->arch;
    CAPTURE(arch);
    for (const int64_t n : sizes()) {
      CAPTURE(n);
      const auto x = random<T>(n, static_cast<uint64_t>(n), -9, 9);
      for (const Bytes& seen : masks(n)) {
        std::vector<T> y(x.size()), logs(x.size()), in_place = x;
        t->softmax(x.data(), seen.data(), y.data(), n);
        const T lse = t->log_softmax(x.data(), seen.data(), logs.data(), n);
        t->softmax(in_place.data(), seen.data(), in_place.data(), n);
        CHECK(y == in_place);
        CHECK(distance(y, reference(x, seen, false), 0) <
              16);  // x - max loses a bit where |x - max| is large
        CHECK(distance(logs, reference(x, seen, true), 9) < 2);
        Exact sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
          sum += seen[i] ? std::exp(Exact(x[i])) : 0;
          if (!seen[i]) CHECK(y[i] == T(0));
        }
        CHECK(tests::close(lse, static_cast<double>(std::log(sum)), 2 * eps<T>(), 9 * eps<T>()));
      }
      std::vector<T> y(x.size()), all(x.size());
      t->softmax(x.data(), nullptr, y.data(), n);
      t->softmax(x.data(), Bytes(x.size(), 1).data(), all.data(), n);
      CHECK(y == all);
    }
  }
}

TEST_CASE_TEMPLATE("softmax of rows at the edges", T, float, double) {
  using L = std::numeric_limits<T>;
  const T inf = L::infinity(), nan = L::quiet_NaN();
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t n : sizes()) {
      const auto size = static_cast<std::size_t>(n);
      const auto x = random<T>(n, 5);
      std::vector<T> y(size, nan);
      const Bytes nothing(size, 0);
      t->softmax(x.data(), nothing.data(), y.data(), n);
      CHECK(y == std::vector<T>(size, 0));
      CHECK(t->log_softmax(x.data(), nothing.data(), y.data(), n) == -inf);
      CHECK(y == std::vector<T>(size, -inf));

      // Huge scores neither overflow nor vanish, and what is not seen may hold anything.
      std::vector<T> huge(size, L::max() / 2);
      t->softmax(huge.data(), nullptr, y.data(), n);
      CHECK(tests::close(y[size - 1], 1.0 / static_cast<double>(n), 4 * eps<T>(), 0));
      Bytes seen(size, 1);
      huge[0] = nan, seen[0] = 0;
      t->softmax(huge.data(), seen.data(), y.data(), n);
      CHECK(y[0] == T(0));
      if (n > 1) CHECK(tests::close(y[1], 1.0 / static_cast<double>(n - 1), 4 * eps<T>(), 0));

      auto poisoned = x;
      poisoned[size / 2] = nan;
      t->softmax(poisoned.data(), nullptr, y.data(), n);
      for (const T v : y) CHECK(std::isnan(v));
    }
  }
}

TEST_CASE_TEMPLATE("scores far below the largest get weight 0, near ones their share", T, float, double) {
  const T inf = std::numeric_limits<T>::infinity(), big = std::numeric_limits<T>::max();
  const std::vector<T> x = {0, -inf, -big, -1e6, -800, -1, -20, 0, T(-0.5)};
  const Exact sum = 2 + std::exp(Exact(-1)) + std::exp(Exact(-20)) + std::exp(Exact(-0.5));
  for (const Table<T>* t : tables<T>()) {
    std::vector<T> y(x.size());
    t->softmax(x.data(), nullptr, y.data(), static_cast<int64_t>(x.size()));
    std::vector<Exact> want;
    for (const T v : x) want.push_back(v < -100 ? 0 : std::exp(Exact(v)) / sum);
    CHECK(distance(y, want, 0) < 3);
  }
}

TEST_CASE_TEMPLATE("gradients of softmax and its logarithm are added or assigned", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t n : sizes()) {
      const auto x = random<T>(n, 1), dy = random<T>(n, 2), before = random<T>(n, 3);
      for (const Bytes& seen : masks(n)) {
        std::vector<T> y(x.size()), logs(x.size());
        t->softmax(x.data(), seen.data(), y.data(), n);
        t->log_softmax(x.data(), seen.data(), logs.data(), n);
        Exact mean = 0, total = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
          mean += Exact(y[i]) * dy[i];
          if (seen[i]) total += dy[i];
        }
        std::vector<Exact> want, want_log;
        for (std::size_t i = 0; i < x.size(); ++i) {
          want.push_back(before[i] + y[i] * (dy[i] - mean));
          want_log.push_back(before[i] + (seen[i] ? dy[i] - std::exp(Exact(logs[i])) * total : 0));
        }
        auto dx = before, dx_log = before;
        t->softmax_backward(y.data(), dy.data(), true, dx.data(), n);
        t->log_softmax_backward(logs.data(), dy.data(), true, dx_log.data(), n);
        CHECK(distance(dx, want, 2) < 2);
        CHECK(distance(dx_log, want_log, 4) < 3);
        for (std::size_t i = 0; i < x.size(); ++i) want[i] -= before[i], want_log[i] -= before[i];
        std::fill(dx.begin(), dx.end(), T(NAN));
        std::fill(dx_log.begin(), dx_log.end(), T(NAN));
        t->softmax_backward(y.data(), dy.data(), false, dx.data(), n);
        t->log_softmax_backward(logs.data(), dy.data(), false, dx_log.data(), n);
        CHECK(distance(dx, want, 2) < 2);
        CHECK(distance(dx_log, want_log, 4) < 3);
      }
    }
  }
}

TEST_CASE_TEMPLATE("cross entropy with and without label smoothing", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t n : sizes()) {
      for (const T smoothing : {T(0), T(0.1)}) {
        for (const int64_t target : {int64_t{0}, n / 2, n - 1}) {
          const auto x = random<T>(n, 1, -4, 4), before = random<T>(n, 2);
          Exact sum = 0, plain = 0;
          for (const T v : x) sum += std::exp(Exact(v)), plain += v;
          const Exact e = smoothing, want_lse = std::log(sum);
          const Exact want = want_lse - (1 - e) * x[static_cast<std::size_t>(target)] - e / n * plain;
          T lse = 0;
          CHECK(tests::close(t->cross_entropy(x.data(), n, target, smoothing, &lse),
                             static_cast<double>(want), 4 * eps<T>(), 8 * eps<T>()));
          CHECK(tests::close(lse, static_cast<double>(want_lse), 2 * eps<T>(), 4 * eps<T>()));

          auto dx = before;
          t->cross_entropy_backward(x.data(), lse, n, target, smoothing, T(0.7), dx.data());
          std::vector<Exact> want_dx;
          for (int64_t j = 0; j < n; ++j) {
            const auto i = static_cast<std::size_t>(j);
            const Exact slope = std::exp(x[i] - want_lse) - (j == target ? 1 - e : 0) - e / n;
            want_dx.push_back(before[i] + T(0.7) * slope);
          }
          CHECK(distance(dx, want_dx, 4) < 2);
        }
      }
    }
  }
}

}  // namespace heed::kernels
