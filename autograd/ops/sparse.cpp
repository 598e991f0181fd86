#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/ops/score_rows.hpp"

// The sparse relatives of softmax: weights p that maximise p . z + H(p), H an entropy (Tsallis' of index
// alpha) that does not punish zeros. All of them are
//   p_i = [(alpha - 1) z_i - tau]_+ ^ (1 / (alpha - 1)),  tau such that sum_i p_i = 1,
// and only how tau is found differs. The derivative is one for all. Where p_i > 0 let s_i = p_i^(2 - alpha);
// p_i^(alpha - 1) = (alpha - 1) z_i - tau gives dp_i = s_i (dz_i - dtau / (alpha - 1)), and sum_i dp_i = 0
// gives dtau. So dp_i/dz_j = s_i ([i = j] - s_j / sum s), which is symmetric, and
//   dz_i = s_i (dp_i - sum_j s_j dp_j / sum_j s_j)
// (Peters et al. 2019, on the Jacobian). alpha = 1: softmax, s = p. Where p_i = 0, hidden or not, dz_i = 0.

namespace heed::inline HEED_PRECISION {

namespace {

// The largest seen score; NaN when a seen one is NaN or infinite upward, or all are infinite downward (as
// softmax: the differences to it would be NaN). Something is seen.
double top_of(const real* x, int64_t n, const uint8_t* seen) {
  double top = -std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < n; ++i) {
    if (seen != nullptr && seen[i] == 0) continue;
    if (std::isnan(x[i])) return x[i];
    top = std::max(top, static_cast<double>(x[i]));
  }
  return std::isfinite(top) ? top : std::numeric_limits<double>::quiet_NaN();
}

// y_i = weight(x_i - top) for the seen slots, 0 for the others; `solve` finds what weight needs from the
// differences that lie, one behind the other, where y will be. Nothing is allocated per row.
template <class Solve>
void sparse_row(const real* x, real* y, int64_t n, const uint8_t* seen, Solve solve) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += seen == nullptr || seen[i] != 0 ? 1 : 0;
  if (count == 0) {
    std::fill(y, y + n, real(0));
    return;
  }
  const double top = top_of(x, n, seen);
  const auto difference = [=](int64_t i) { return static_cast<real>(static_cast<double>(x[i]) - top); };
  if (std::isfinite(top)) {
    for (int64_t i = 0, k = 0; i < n; ++i) {
      if (seen == nullptr || seen[i] != 0) y[k++] = difference(i);
    }
  }
  const auto weight = solve(y, std::isfinite(top) ? count : 0);
  for (int64_t i = 0; i < n; ++i) {
    const bool hidden = seen != nullptr && seen[i] == 0;
    y[i] = hidden               ? 0
           : std::isfinite(top) ? static_cast<real>(weight(difference(i)))
                                : static_cast<real>(top);
  }
}

template <class Solve>
Tensor sparse(const ScoreRows& rows, const Tensor& scores, Solve solve) {
  Tensor y = empty_like(scores);
  rows.walk(
      [&, x = scores.data(), out = y.mutable_data()](int64_t row, int64_t n, const uint8_t* seen) {
        sparse_row(x + row, out + row, n, seen, solve);
        std::fill(out + row + n, out + row + rows.slots, real(0));
      },
      20);
  return y;
}

// dz_i += s_i (dy_i - sum_j s_j dy_j / sum_j s_j), s_i = power(y_i) where y_i is not 0 (and NaN is not 0).
template <class Power>
void sparse_backward(const ScoreRows& rows, const real* y, const real* dy, real* dx, Power power) {
  const auto s = [&](int64_t i) {
    const auto p = static_cast<double>(y[i]);
    return p == 0 ? 0 : std::isnan(p) ? p : power(p);
  };
  rows.walk(
      [&](int64_t row, int64_t n, const uint8_t* /*seen*/) {
        double total = 0, weighted = 0;
        for (int64_t i = row; i < row + n; ++i) {
          total += s(i);
          weighted += s(i) * static_cast<double>(dy[i]);
        }
        const double mean = weighted / total;  // not read where nothing is seen
        for (int64_t i = row; i < row + n; ++i) {
          if (y[i] != 0) dx[i] += static_cast<real>(s(i) * (static_cast<double>(dy[i]) - mean));
        }
      },
      5);
}

// e_b(x) = (1 + b x)_+ ^ (1 / b), which is e^x at b = 0.
double exponential(double b, double x) {
  if (b == 0) return std::exp(x);
  return b * x <= -1 ? 0 : std::exp(std::log1p(b * x) / b);
}

// Where f, which falls from at least 1 at `low` to at most 1 at `high`, is 1, as well as a double can tell.
template <class F>
double bisect(double low, double high, F f) {
  while (high - low > 1e-17) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (f(middle) >= 1 ? low : high) = middle;
  }
  return low;
}

// sum_i dy_i p_i' over all rows, p_i' as entmax's comment derives it.
double by_alpha(const ScoreRows& rows, const real* z, const real* y, const real* dy, double b) {
  PoolVector<double> of_row(static_cast<size_t>(rows.rows));  // added up in one order for any threads
  rows.walk([&](int64_t row, int64_t n, const uint8_t* /*seen*/) {
    double total = 0, score = 0, plogp = 0, squares = 0;  // sums of s, s z, p log p, p log^2 p
    const auto terms = [&](int64_t i, auto use) {
      const auto p = static_cast<double>(y[i]);
      if (p != 0) use(p, std::log(p), std::pow(p, 1 - b), static_cast<double>(z[i]));
    };
    for (int64_t i = row; i < row + n; ++i) {
      terms(i, [&](double p, double log_p, double s, double score_i) {
        total += s;
        score += s * score_i;
        plogp += p * log_p;
        squares += p * log_p * log_p;
      });
    }
    double sum = 0;
    const bool limit = b < std::sqrt(static_cast<double>(std::numeric_limits<real>::epsilon()));
    for (int64_t i = row; i < row + n; ++i) {
      terms(i, [&](double p, double log_p, double s, double score_i) {
        const double slope = limit ? p * (squares - log_p * log_p) / 2
                                   : (s * (score_i - score / total) - p * log_p + s / total * plogp) / b;
        sum += static_cast<double>(dy[i]) * slope;
      });
    }
    if (rows.slots > 0) of_row[static_cast<size_t>(row / rows.slots)] = sum;
  });
  return std::accumulate(of_row.begin(), of_row.end(), 0.0);
}

}  // namespace

// p_i = [z_i - tau]_+. The support are the k largest scores, k the last for which z_(k) > tau_k, tau_k =
// (z_(1) + ... + z_(k) - 1) / k: with one more it would be negative.
Tensor sparsemax(const Tensor& scores, const Mask& mask) {
  const ScoreRows rows("sparsemax", scores, mask);
  Tensor y = sparse(rows, scores, [](real* z, int64_t n) {
    std::sort(z, z + n, std::greater<>());
    double sum = 0, tau = 0;
    for (int64_t k = 0; k < n; ++k) {
      const auto next = static_cast<double>(z[k]);
      if (1 + static_cast<double>(k + 1) * next <= sum + next) break;
      sum += next;
      tau = (sum - 1) / static_cast<double>(k + 1);
    }
    return [tau](double x) { return std::max(x - tau, 0.0); };
  });
  return record("sparsemax", y, {&scores}, [rows, y = Saved(y)](Gradients& g) {
    sparse_backward(rows, y, g.output(), g.input(0), [](double /*p*/) { return 1.0; });
  });
}

// p_i = [z_i / 2 - tau]_+^2. On a support of the k largest, with mean m and mean square q of their z / 2,
// sum p = 1 reads k (tau^2 - 2 m tau + q) = 1: tau_k = m - sqrt((1 - k (q - m^2)) / k), the smaller root,
// below all of them. The support ends before the first score that is not above the tau of those before it.
Tensor entmax15(const Tensor& scores, const Mask& mask) {
  const ScoreRows rows("entmax15", scores, mask);
  Tensor y = sparse(rows, scores, [](real* z, int64_t n) {
    std::sort(z, z + n, std::greater<>());
    double sum = 0, squares = 0, tau = -1;
    for (int64_t i = 0; i < n; ++i) {
      const double half = static_cast<double>(z[i]) / 2;
      if (half <= tau) break;
      sum += half;
      squares += half * half;
      const auto k = static_cast<double>(i + 1);
      const double mean = sum / k;
      tau = mean - std::sqrt(std::max(0.0, (1 - (squares - k * mean * mean)) / k));
    }
    return [tau](double x) {
      const double root = std::max(x / 2 - tau, 0.0);
      return root * root;
    };
  });
  return record("entmax15", y, {&scores}, [rows, y = Saved(y)](Gradients& g) {
    sparse_backward(rows, y, g.output(), g.input(0), [](double p) { return std::sqrt(p); });
  });
}

// With b = alpha - 1 and z relative to the largest, p_i = e_b(z_i - lambda), (tau = b lambda - 1), which is
// softmax at b = 0, lambda the logarithm of its sum. lambda = 0 gives the largest p = 1, so sum p >= 1;
// lambda = (1 - n^-b) / b gives it p = 1/n, so sum p <= 1.
// Of alpha (Correia et al. 2019, proposition 1): p_i^b = b z_i - tau, derived by alpha, is
//   p_i^b (log p_i + b p_i' / p_i) = z_i - tau'   =>   b p_i' = s_i (z_i - tau') - p_i log p_i,
// and sum_i p_i' = 0 gives tau' = (sum s z - sum p log p) / sum s, that is, with q = s / sum s
//   p_i' = (s_i (z_i - sum_j q_j z_j) - p_i log p_i + q_i sum_j p_j log p_j) / b.
// At b -> 0 the first and second order in b of s_i = p_i e^(-b log p_i) leave
//   p_i' = p_i (sum_j p_j log^2 p_j - log^2 p_i) / 2.
Tensor entmax(const Tensor& scores, const Tensor& alpha, const Mask& mask) {
  check_defined("entmax", scores, alpha);
  const ScoreRows rows("entmax", scores, mask);
  const double b = static_cast<double>(alpha.item()) - 1;
  if (!(b >= 0)) fail("entmax: alpha {} is below 1", alpha.item());
  Tensor y = sparse(rows, scores, [b](const real* z, int64_t n) {
    const auto sum = [=](double lambda) {
      double total = 0;
      for (int64_t i = 0; i < n; ++i) total += exponential(b, static_cast<double>(z[i]) - lambda);
      return total;
    };
    const double log_n = std::log(static_cast<double>(std::max<int64_t>(n, 1)));
    const double lambda = n == 0 ? 0 : bisect(0, b == 0 ? log_n : -std::expm1(-b * log_n) / b, sum);
    return [=, scale = 1 / sum(lambda)](double x) { return scale * exponential(b, x - lambda); };
  });
  return record("entmax", y, {&scores, &alpha}, [=, y = Saved(y), z = Saved(scores)](Gradients& g) {
    if (real* dz = g.input(0)) {
      sparse_backward(rows, y, g.output(), dz, [b](double p) { return std::pow(p, 1 - b); });
    }
    if (real* dalpha = g.input(1)) *dalpha += static_cast<real>(by_alpha(rows, z, y, g.output(), b));
  });
}

}  // namespace heed::inline HEED_PRECISION
