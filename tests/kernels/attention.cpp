// Attention in tiles: a softmax that comes in pieces, against one that comes at once.
#include <doctest/doctest.h>

#include <string>

#include "tests/kernels/support.hpp"

namespace heed::kernels {

namespace {

constexpr int64_t ld = 144;  // columns of a tile: more than any of sizes(), to a whole register

// Scores (keys, ld), which of them query i sees: the bytes of `seen`, and no key from limit(i) on.
template <class T>
struct Problem {
  int64_t keys, queries;
  std::vector<T> scores;
  std::vector<uint8_t> seen;
  bool limited;

  Problem(int64_t keys, int64_t queries, bool masked, bool limited)
      : keys(keys),
        queries(queries),
        scores(random<T>(keys * ld, uint64_t(keys * 131 + queries), -20, 20)),
        seen(masked ? std::size_t(keys) : 0),
        limited(limited) {
    for (std::size_t j = 0; j < seen.size(); ++j) seen[j] = j % 3 != 1;
  }
  [[nodiscard]] int64_t limit(int64_t i) const { return limited ? (i * 7) % (keys + 2) - 1 : keys; }
  [[nodiscard]] bool sees(int64_t i, int64_t j) const {
    return (seen.empty() || seen[std::size_t(j)] != 0) && j < limit(i);
  }
  [[nodiscard]] const uint8_t* bytes(int64_t from) const {
    return seen.empty() ? nullptr : seen.data() + from;
  }
  [[nodiscard]] std::vector<T> limits(int64_t from) const {
    std::vector<T> list(ld, T(0));
    for (int64_t i = 0; i < queries; ++i) list[std::size_t(i)] = T(limit(i) - from);
    return list;
  }
  // log sum exp of query i's scores
  [[nodiscard]] Exact lse(int64_t i) const {
    Exact sum = 0;
    for (int64_t j = 0; j < keys; ++j)
      if (sees(i, j)) sum += std::exp(Exact(scores[std::size_t(j * ld + i)]));
    return std::log(sum);
  }
};

template <class T, class F>
void for_problems(F f) {
  for (const Table<T>* t : tables<T>()) {
    const std::string arch = t->arch;
    CAPTURE(arch);
    for (const int64_t keys : {1, 3, 4, 9, 64}) {
      for (const int64_t queries : sizes()) {
        for (const bool masked : {false, true}) {
          for (const bool limited : {false, true}) {
            CAPTURE(keys);
            CAPTURE(queries);
            f(*t, Problem<T>(keys, queries, masked, limited));
          }
        }
      }
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("attention: a softmax in two pieces is the softmax of all", T, float, double) {
  for_problems<T>([](const Table<T>& t, const Problem<T>& p) {
    std::vector<T> s = p.scores, top(ld, -std::numeric_limits<T>::infinity()), total(ld, T(0)), shrink(ld),
                   first;
    const int64_t cut = p.keys / 3;
    for (const auto& [from, to] : {std::pair{int64_t{0}, cut}, std::pair{cut, p.keys}}) {
      const std::vector<T> limits = p.limits(from);
      t.attention(s.data() + from * ld, ld, to - from, p.queries, p.bytes(from),
                  p.limited ? limits.data() : nullptr, top.data(), total.data(), shrink.data());
    }
    for (int64_t i = 0; i < p.queries; ++i) {
      const auto at = std::size_t(i);
      const Exact lse = p.lse(i);
      if (std::isinf(lse)) {  // nothing seen
        CHECK(total[at] == T(0));
        continue;
      }
      CHECK(tests::close(double(top[at]) + std::log(double(total[at])), double(lse), 0, 60 * eps<T>()));
      for (int64_t j = 0; j < p.keys; ++j) {
        const T weight = s[std::size_t(j * ld + i)] * (j < cut ? shrink[at] : T(1)) / total[at];
        const Exact exact = p.sees(i, j) ? std::exp(Exact(p.scores[std::size_t(j * ld + i)]) - lse) : 0;
        CHECK(tests::close(double(weight), double(exact), 60 * eps<T>(), 0));
      }
    }
  });
}

TEST_CASE_TEMPLATE("attention: weights anew, and the gradient of their scores", T, float, double) {
  for_problems<T>([](const Table<T>& t, const Problem<T>& p) {
    std::vector<T> s = p.scores, dp = random<T>(p.keys * ld, 5), lse(ld, T(0)), mean(ld, T(0));
    const std::vector<T> dw = dp, limits = p.limits(0);
    for (int64_t i = 0; i < p.queries; ++i) {
      lse[std::size_t(i)] = T(p.lse(i));
      Exact sum = 0;
      for (int64_t j = 0; j < p.keys; ++j)
        if (p.sees(i, j))
          sum += std::exp(Exact(p.scores[std::size_t(j * ld + i)]) - p.lse(i)) *
                 Exact(dw[std::size_t(j * ld + i)]);
      mean[std::size_t(i)] = T(sum);
    }
    t.attention_backward(s.data(), dp.data(), ld, p.keys, p.queries, p.bytes(0),
                         p.limited ? limits.data() : nullptr, lse.data(), mean.data());
    for (int64_t i = 0; i < p.queries; ++i) {
      for (int64_t j = 0; j < p.keys; ++j) {
        const auto at = std::size_t(j * ld + i);
        const Exact w = p.sees(i, j) ? std::exp(Exact(p.scores[at]) - p.lse(i)) : 0;
        CHECK(tests::close(double(s[at]), double(w), 60 * eps<T>(), 0));
        CHECK(tests::close(double(dp[at]), double(w * (Exact(dw[at]) - mean[std::size_t(i)])), 1e-10,
                           200 * eps<T>()));
        if (!p.sees(i, j)) CHECK((s[at] == T(0) && dp[at] == T(0)));
      }
    }
  });
}

TEST_CASE_TEMPLATE("attention: a NaN reaches the sum, a weight of 0 meets an infinite gradient", T, float,
                   double) {
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  for (const Table<T>* t : tables<T>()) {
    std::vector<T> s(3 * ld, T(1)), top(ld, -inf), total(ld, T(0)), shrink(ld);
    s[ld] = nan;  // key 1 of query 0
    t->attention(s.data(), ld, 3, 2, nullptr, nullptr, top.data(), total.data(), shrink.data());
    CHECK(std::isnan(total[0]));
    CHECK(total[1] == T(3));
    std::vector<T> p(2 * ld, T(0)), dp(2 * ld, T(1));
    p[0] = -inf, dp[0] = inf;
    t->attention_backward(p.data(), dp.data(), ld, 2, 1, nullptr, nullptr, std::vector<T>(ld, T(0)).data(),
                          std::vector<T>(ld, T(1)).data());
    CHECK((p[0] == T(0) && dp[0] == T(0)));
    CHECK((p[ld] == T(1) && dp[ld] == T(0)));
  }
}

TEST_CASE_TEMPLATE("transpose", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t rows : sizes()) {
      for (const int64_t cols : sizes()) {
        const auto x = random<T>(rows * (cols + 3), 7);
        std::vector<T> y(std::size_t(cols * ld));
        t->transpose(x.data(), cols + 3, rows, cols, y.data(), ld);
        bool same = true;
        for (int64_t i = 0; i < rows; ++i) {
          for (int64_t j = 0; j < cols; ++j)
            same = same && y[std::size_t(j * ld + i)] == x[std::size_t(i * (cols + 3) + j)];
        }
        CHECK(same);
      }
    }
  }
}

}  // namespace heed::kernels
