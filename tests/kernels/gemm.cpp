#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "autograd/kernels/parallel.hpp"
#include "tests/kernels/support.hpp"

namespace heed::kernels {

namespace {

struct Problem {
  bool trans_a, trans_b;
  int64_t m, n, k;
  double alpha;
  bool accumulate;
  int64_t gap;  // extra elements per row of each matrix
};

// Runs one product and returns all of C's storage: gaps between rows must come back untouched.
template <class T>
std::vector<T> product(const Table<T>& t, const Problem& p) {
  const int64_t lda = (p.trans_a ? p.m : p.k) + p.gap, ldb = (p.trans_b ? p.k : p.n) + p.gap,
                ldc = p.n + p.gap;
  const auto a = random<T>((p.trans_a ? p.k : p.m) * lda, 1), b = random<T>((p.trans_b ? p.n : p.k) * ldb, 2);
  auto c = random<T>(p.m * ldc, 3);
  t.gemm(p.trans_a, p.trans_b, p.m, p.n, p.k, static_cast<T>(p.alpha), a.data(), lda, b.data(), ldb,
         p.accumulate, c.data(), ldc);
  return c;
}

template <class T>
void check(const Table<T>& t, const Problem& p) {
  const int64_t lda = (p.trans_a ? p.m : p.k) + p.gap, ldb = (p.trans_b ? p.k : p.n) + p.gap,
                ldc = p.n + p.gap;
  const auto a = random<T>((p.trans_a ? p.k : p.m) * lda, 1), b = random<T>((p.trans_b ? p.n : p.k) * ldb, 2);
  const auto before = random<T>(p.m * ldc, 3), after = product(t, p);
  const auto at = [](const std::vector<T>& x, bool trans, int64_t ld, int64_t i, int64_t j) {
    return static_cast<Exact>(x[static_cast<std::size_t>(trans ? j * ld + i : i * ld + j)]);
  };
  double worst = 0;
  bool gaps_kept = true;
  for (int64_t i = 0; i < p.m; ++i) {
    for (int64_t j = 0; j < ldc; ++j) {
      const Exact was = at(before, false, ldc, i, j), is = at(after, false, ldc, i, j);
      if (j >= p.n) {
        gaps_kept = gaps_kept && is == was;
        continue;
      }
      Exact sum = 0, size = 0;  // of the terms: roundings are relative to it, and the sign of each is random
      for (int64_t q = 0; q < p.k; ++q) {
        const Exact term =
            static_cast<Exact>(p.alpha) * at(a, p.trans_a, lda, i, q) * at(b, p.trans_b, ldb, q, j);
        sum += term;
        size += std::abs(term);
      }
      if (p.accumulate) sum += was, size += std::abs(was);
      const double error = static_cast<double>(std::abs(is - sum));
      if (!(error <= worst * eps<T>() * static_cast<double>(size)))
        worst = size == 0 ? INFINITY : error / eps<T>() / static_cast<double>(size);
    }
  }
  const std::string arch = t.arch;
  CAPTURE(arch);
  CAPTURE(p.trans_a);
  CAPTURE(p.trans_b);
  CAPTURE(p.m);
  CAPTURE(p.n);
  CAPTURE(p.k);
  CAPTURE(p.accumulate);
  CHECK(gaps_kept);
  CHECK(worst < 1.5 + 0.25 * std::sqrt(static_cast<double>(p.k)));
}

template <class T>
void check_all(int64_t m, int64_t n, int64_t k) {
  for (const Table<T>* t : tables<T>()) {
    for (const bool trans_a : {false, true}) {
      for (const bool trans_b : {false, true}) {
        check(*t, {trans_a, trans_b, m, n, k, 1, false, 0});
        check(*t, {trans_a, trans_b, m, n, k, -0.375, true, 3});
      }
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("gemm: every small shape, transposition and stride", T, float, double) {
  for (const int64_t m : {1, 2, 3, 6, 7, 13}) {
    for (const int64_t n : {1, 2, 5, 8, 9, 16, 17, 37}) {
      for (const int64_t k : {1, 2, 7, 8, 33}) check_all<T>(m, n, k);
    }
  }
}

TEST_CASE_TEMPLATE("gemm: shapes of recurrent steps, heads and dot products", T, float, double) {
  check_all<T>(32, 192, 96);
  check_all<T>(1, 70, 131);
  check_all<T>(3, 50, 300);
  check_all<T>(8, 11, 100);
  check_all<T>(50, 3, 100);
  check_all<T>(90, 1, 77);
  check_all<T>(64, 64, 64);
}

TEST_CASE_TEMPLATE("gemm: several blocks along each side", T, float, double) {
  check_all<T>(101, 131, 263);
  check_all<T>(200, 67, 520);
  check_all<T>(19, 1100, 270);
  check_all<T>(263, 259, 270);  // large enough for packing A
}

TEST_CASE_TEMPLATE("gemm: few rows of whole registers, computed as the transpose", T, float, double) {
  check_all<T>(16, 37, 41);
  check_all<T>(48, 197, 300);
  check_all<T>(16, 1041, 33);
}

TEST_CASE_TEMPLATE("gemm: without terms C is zeroed, or kept", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    check(*t, {false, false, 3, 5, 0, 1, false, 0});
    check(*t, {false, true, 3, 5, 0, 1, true, 0});
    check(*t, {false, false, 0, 5, 4, 1, false, 0});
    check(*t, {true, true, 3, 0, 4, 1, false, 0});
  }
}

TEST_CASE_TEMPLATE("gemm: what C held does not enter an assignment", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    const std::vector<T> a = {1, 2}, b = {3, 4};
    T c = std::numeric_limits<T>::quiet_NaN();
    t->gemm(false, false, 1, 1, 2, T(1), a.data(), 2, b.data(), 1, false, &c, 1);
    CHECK(c == T(11));
  }
}

TEST_CASE_TEMPLATE("gemm: the same bits for any number of threads", T, float, double) {
  const int before = threads();
  for (const Table<T>* t : tables<T>()) {
    for (const bool trans : {false, true}) {
      for (const Problem& p :
           {Problem{trans, false, 301, 203, 150, 1, false, 0}, Problem{false, trans, 70, 901, 90, 1, true, 2},
            Problem{false, true, 3, 20011, 100, 1, false, 0}, Problem{false, true, 48, 1501, 90, 1, true, 1},
            Problem{false, trans, 30011, 2, 90, 1, true, 1}}) {
        set_threads(1);
        const auto one = product(*t, p);
        for (const int n : {2, 3, 5}) {
          set_threads(n);
          const auto many = product(*t, p);
          CHECK(std::memcmp(one.data(), many.data(), one.size() * sizeof(T)) == 0);
        }
      }
    }
  }
  set_threads(before);
}

}  // namespace heed::kernels
