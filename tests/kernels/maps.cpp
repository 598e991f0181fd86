// Maps, their gradients and arithmetic against the same formulas in long double.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <type_traits>

#include "autograd/kernels/philox.hpp"
#include "tests/kernels/support.hpp"

namespace heed::kernels {

namespace {

Exact sigmoid(Exact x) { return 1 / (1 + std::exp(-x)); }
Exact phi(Exact x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::acos(Exact(-1))); }
Exact cdf(Exact x) { return std::erfc(-x / std::sqrt(Exact(2))) / 2; }
Exact softplus(Exact x) { return std::max(x, Exact(0)) + std::log1p(std::exp(-std::abs(x))); }

template <class T>
using Map = void (*)(const T*, T*, int64_t) noexcept;
template <class T>
using Gradient = void (*)(const T*, const T*, T*, int64_t) noexcept;

template <class T>
struct MapCase {
  const char* name;
  Map<T> Table<T>::*kernel;
  Exact (*f)(Exact);
  double lo, hi;
  double tolerance;  // in units of epsilon, relative to scale + |f|
  double scale;
};

template <class T>
std::vector<MapCase<T>> map_cases() {
  const double low = sizeof(T) == 4 ? -87 : -700, high = sizeof(T) == 4 ? 88 : 700;
  return {
      {"exp", &Table<T>::exp, [](Exact x) { return std::exp(x); }, low, high, 1.2, 0},
      {"log", &Table<T>::log, [](Exact x) { return std::log(x); }, 1e-30, 4, 1, 0},
      {"log", &Table<T>::log, [](Exact x) { return std::log(x); }, 0.9, 1.1, 1, 0},
      {"log", &Table<T>::log, [](Exact x) { return std::log(x); }, 1, 1e30, 1, 0},
      {"tanh", &Table<T>::tanh, [](Exact x) { return std::tanh(x); }, -1, 1, 2.7, 0},
      {"tanh", &Table<T>::tanh, [](Exact x) { return std::tanh(x); }, -20, 20, 2.7, 0},
      {"sigmoid", &Table<T>::sigmoid, sigmoid, -20, 20, 2.5, 0},
      {"sigmoid", &Table<T>::sigmoid, sigmoid, low, 0, 2.5, 0},
      {"erf", &Table<T>::erf, [](Exact x) { return std::erf(x); }, -1.5, 1.5, 1.6, 0},
      {"erf", &Table<T>::erf, [](Exact x) { return std::erf(x); }, -7, 7, 1.6, 0},
      {"relu", &Table<T>::relu, [](Exact x) { return std::max(x, Exact(0)); }, -2, 2, 0.1, 0},
      {"gelu", &Table<T>::gelu, [](Exact x) { return x * cdf(x); }, -8, 8, 3, 1},  // 1 + erf cancels far left
      {"silu", &Table<T>::silu, [](Exact x) { return x * sigmoid(x); }, -30, 30, 3, 0},
      {"softplus", &Table<T>::softplus, softplus, -30, 30, 2, 0},
  };
}

template <class T>
struct GradientCase {
  const char* name;
  Gradient<T> Table<T>::*kernel;
  Exact (*f)(Exact);  // the derivative, from y or from x as the kernel takes it
};

template <class T>
std::vector<GradientCase<T>> gradient_cases() {
  return {
      {"tanh", &Table<T>::tanh_backward, [](Exact y) { return 1 - y * y; }},
      {"sigmoid", &Table<T>::sigmoid_backward, [](Exact y) { return y * (1 - y); }},
      {"relu", &Table<T>::relu_backward, [](Exact x) { return x > 0 ? Exact(1) : Exact(0); }},
      {"gelu", &Table<T>::gelu_backward, [](Exact x) { return cdf(x) + x * phi(x); }},
      {"silu", &Table<T>::silu_backward, [](Exact x) { return sigmoid(x) * (1 + x * (1 - sigmoid(x))); }},
      {"softplus", &Table<T>::softplus_backward, sigmoid},
  };
}

}  // namespace

TEST_CASE_TEMPLATE("maps equal their formulas at every size, and write nothing beyond", T, float, double) {
  constexpr T kGuard = T(-12345);
  for (const Table<T>* t : tables<T>()) {
    for (const MapCase<T>& c : map_cases<T>()) {
      for (const int64_t n : sizes()) {
        const auto x = random<T>(n, static_cast<uint64_t>(n), c.lo, c.hi);
        std::vector<T> y(static_cast<std::size_t>(n) + 8, kGuard);
        (t->*c.kernel)(x.data(), y.data(), n);
        std::vector<Exact> want;
        for (const T v : x) want.push_back(c.f(v));
        want.insert(want.end(), 8, kGuard);
        const std::string which = std::string(t->arch) + " " + c.name;
        CAPTURE(which);
        CAPTURE(n);
        CHECK(distance(y, want, c.scale) < c.tolerance);
      }
    }
  }
}

TEST_CASE_TEMPLATE("maps keep their precision over a hundred thousand arguments", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const MapCase<T>& c : map_cases<T>()) {
      const auto x = random<T>(100'000, 9, c.lo, c.hi);
      std::vector<T> y(x.size());
      (t->*c.kernel)(x.data(), y.data(), static_cast<int64_t>(x.size()));
      std::vector<Exact> want;
      for (const T v : x) want.push_back(c.f(v));
      const std::string which = std::string(t->arch) + " " + c.name;
      CAPTURE(which);
      CHECK(distance(y, want, c.scale) < c.tolerance);
    }
  }
}

TEST_CASE_TEMPLATE("maps give a value the same result wherever it stands", T, float, double) {
  constexpr int64_t kLength = 37;
  for (const Table<T>* t : tables<T>()) {
    for (const MapCase<T>& c : map_cases<T>()) {
      const auto values = random<T>(50, 4, c.lo, c.hi);
      int different = 0;
      for (const T v : values) {
        std::vector<T> x(kLength, v);
        (t->*c.kernel)(x.data(), x.data(), kLength);  // in place
        for (const T y : x) different += std::memcmp(&y, &x[0], sizeof(T)) != 0;
      }
      const std::string which = std::string(t->arch) + " " + c.name;
      CAPTURE(which);
      CHECK(different == 0);
    }
  }
}

template <class T>
struct Ends {
  using L = std::numeric_limits<T>;
  static constexpr T inf = L::infinity(), nan = L::quiet_NaN(), tiny = L::denorm_min(), small = L::min(),
                     big = L::max(), zero = 0, minus_zero = -zero;
};

// Equal, and of the same sign where 0.
template <class T>
bool same(T a, std::type_identity_t<T> b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

template <class T>
T apply(const Table<T>& table, Map<T> Table<T>::*kernel, std::type_identity_t<T> x) {
  T y = 0;
  (table.*kernel)(&x, &y, 1);
  return y;
}

TEST_CASE_TEMPLATE("NaN passes through every map", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const MapCase<T>& c : map_cases<T>()) CHECK(std::isnan(apply(*t, c.kernel, Ends<T>::nan)));
  }
}

TEST_CASE_TEMPLATE("exp and log at infinities, zeros, subnormals and the ends of their ranges", T, float,
                   double) {
  using E = Ends<T>;
  for (const Table<T>* t : tables<T>()) {
    const auto f = [&](Map<T> Table<T>::*kernel, T x) { return apply(*t, kernel, x); };
    const std::string arch = t->arch;
    CAPTURE(arch);
    CHECK(same(f(&Table<T>::exp, E::inf), E::inf));
    CHECK(same(f(&Table<T>::exp, -E::inf), E::zero));
    CHECK(same(f(&Table<T>::exp, E::big), E::inf));
    CHECK(same(f(&Table<T>::exp, -E::big), E::zero));
    CHECK(same(f(&Table<T>::exp, E::zero), 1));
    CHECK(same(f(&Table<T>::exp, E::minus_zero), 1));
    CHECK(same(f(&Table<T>::exp, std::log(E::tiny)), E::tiny));  // subnormal results
    CHECK(tests::close(f(&Table<T>::exp, std::log(E::small / 64)), E::small / 64, 0.02, 0));
    CHECK(std::isfinite(f(&Table<T>::exp, std::log(E::big) * (1 - std::numeric_limits<T>::epsilon()))));
    CHECK(same(f(&Table<T>::exp, std::log(E::big) * (1 + 2 * std::numeric_limits<T>::epsilon())), E::inf));

    CHECK(same(f(&Table<T>::log, E::zero), -E::inf));
    CHECK(same(f(&Table<T>::log, E::minus_zero), -E::inf));
    CHECK(same(f(&Table<T>::log, 1), E::zero));
    CHECK(same(f(&Table<T>::log, E::inf), E::inf));
    CHECK(std::isnan(f(&Table<T>::log, -1)));
    CHECK(std::isnan(f(&Table<T>::log, -E::inf)));
    CHECK(std::isnan(f(&Table<T>::log, -E::tiny)));
    for (const T x : {E::tiny, E::small / 3, E::small, E::big}) {
      CHECK(tests::close(f(&Table<T>::log, x), static_cast<double>(std::log(Exact(x))), eps<T>(), 0));
    }
  }
}

TEST_CASE_TEMPLATE("tanh, sigmoid, erf and the activations at infinities, zeros and subnormals", T, float,
                   double) {
  using E = Ends<T>;
  for (const Table<T>* t : tables<T>()) {
    const auto f = [&](Map<T> Table<T>::*kernel, T x) { return apply(*t, kernel, x); };
    const std::string arch = t->arch;
    CAPTURE(arch);
    for (const T x : {E::zero, E::minus_zero, E::tiny, -E::tiny, E::small, -E::small})
      CHECK(same(f(&Table<T>::tanh, x), x));
    CHECK(same(f(&Table<T>::tanh, E::inf), 1));
    CHECK(same(f(&Table<T>::tanh, -E::inf), -1));
    CHECK(same(f(&Table<T>::tanh, E::big), 1));

    CHECK(same(f(&Table<T>::sigmoid, E::zero), T(0.5)));
    CHECK(same(f(&Table<T>::sigmoid, E::inf), 1));
    CHECK(same(f(&Table<T>::sigmoid, -E::inf), E::zero));
    CHECK(same(f(&Table<T>::sigmoid, std::log(E::tiny)), E::tiny));

    CHECK(same(f(&Table<T>::erf, E::zero), E::zero));
    CHECK(same(f(&Table<T>::erf, E::minus_zero), E::minus_zero));
    CHECK(same(f(&Table<T>::erf, E::inf), 1));
    CHECK(same(f(&Table<T>::erf, -E::big), -1));
    CHECK(f(&Table<T>::erf, E::small) > E::small);

    CHECK(same(f(&Table<T>::relu, E::inf), E::inf));
    CHECK(same(f(&Table<T>::relu, -E::inf), E::zero));
    CHECK(same(f(&Table<T>::softplus, E::inf), E::inf));
    CHECK(same(f(&Table<T>::softplus, -E::inf), E::zero));
    CHECK(same(f(&Table<T>::gelu, E::inf), E::inf));
    CHECK(same(f(&Table<T>::silu, E::inf), E::inf));
    CHECK(same(f(&Table<T>::gelu, -E::inf), E::minus_zero));
    CHECK(same(f(&Table<T>::silu, -E::inf), E::minus_zero));
  }
}

TEST_CASE_TEMPLATE("gradients of the activations are 0 or 1 at infinities", T, float, double) {
  const T high = Ends<T>::inf, low = -high, one = 1;
  for (const Table<T>* t : tables<T>()) {
    for (const auto kernel : {&Table<T>::relu_backward, &Table<T>::gelu_backward, &Table<T>::silu_backward,
                              &Table<T>::softplus_backward}) {
      T below = 0, above = 0;
      (t->*kernel)(&low, &one, &below, 1);
      (t->*kernel)(&high, &one, &above, 1);
      CHECK(below == 0);
      CHECK(above == 1);
    }
  }
}

TEST_CASE_TEMPLATE("gradients of maps are added", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const GradientCase<T>& c : gradient_cases<T>()) {
      for (const int64_t n : sizes()) {
        const auto x = random<T>(n, 1), dy = random<T>(n, 2);
        auto dx = random<T>(n, 3);
        std::vector<Exact> want;
        for (std::size_t i = 0; i < x.size(); ++i) want.push_back(Exact(dx[i]) + c.f(x[i]) * dy[i]);
        (t->*c.kernel)(x.data(), dy.data(), dx.data(), n);
        const std::string which = std::string(t->arch) + " " + c.name;
        CAPTURE(which);
        CAPTURE(n);
        CHECK(distance(dx, want, 8) < 1);
      }
    }
  }
}

TEST_CASE_TEMPLATE("arithmetic", T, float, double) {
  const T alpha = T(0.3);
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t n : sizes()) {
      const auto a = random<T>(n, 1), b = random<T>(n, 2, 0.5, 2), y0 = random<T>(n, 3);
      const auto check = [&](const char* name, auto run, auto f) {
        auto y = y0;
        run(y.data());
        std::vector<Exact> want;
        for (std::size_t i = 0; i < y.size(); ++i) want.push_back(f(Exact(a[i]), Exact(b[i]), Exact(y0[i])));
        const std::string which = std::string(t->arch) + " " + name;
        CAPTURE(which);
        CAPTURE(n);
        CHECK(distance(y, want, 1) < 1.5);
      };
      const T *pa = a.data(), *pb = b.data();
      check(
          "add", [&](T* y) { t->add(pa, pb, y, n); }, [](Exact u, Exact v, Exact) { return u + v; });
      check(
          "sub", [&](T* y) { t->sub(pa, pb, y, n); }, [](Exact u, Exact v, Exact) { return u - v; });
      check(
          "mul", [&](T* y) { t->mul(pa, pb, y, n); }, [](Exact u, Exact v, Exact) { return u * v; });
      check(
          "div", [&](T* y) { t->div(pa, pb, y, n); }, [](Exact u, Exact v, Exact) { return u / v; });
      check(
          "scale", [&](T* y) { t->scale(alpha, pa, y, n); },
          [=](Exact u, Exact, Exact) { return alpha * u; });
      check(
          "axpy", [&](T* y) { t->axpy(alpha, pa, y, n); },
          [=](Exact u, Exact, Exact y) { return y + alpha * u; });
      check(
          "mul_add", [&](T* y) { t->mul_add(pa, pb, y, n); },
          [](Exact u, Exact v, Exact y) { return y + u * v; });
    }
  }
}

TEST_CASE_TEMPLATE("dropout draws the stream's own numbers, from any place in it", T, float, double) {
  constexpr uint64_t key = 77;
  constexpr uint32_t dropped = 0x60000000;  // p = 0.375
  constexpr T kept = T(1.6);
  const auto factor = [=](uint64_t number) {
    uint64_t c[4] = {number / 4, number / 4 >> 32, 0, 0};
    philox(c, key, [](uint64_t word, uint64_t m) { return static_cast<uint32_t>(word) * m; });
    return static_cast<uint32_t>(c[number % 4]) < dropped ? Exact(0) : Exact(kept);
  };
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t n : sizes()) {
      for (const uint64_t counter : {uint64_t{0}, uint64_t{3}, uint64_t{62}, (uint64_t{4} << 32) - 5}) {
        const auto x = random<T>(n, 1), y0 = random<T>(n, 2);
        std::vector<T> y(x.size()), sum = y0;
        t->dropout(key, counter, dropped, kept, x.data(), y.data(), n);
        t->dropout_backward(key, counter, dropped, kept, x.data(), sum.data(), n);
        std::vector<Exact> want, want_sum;
        for (std::size_t i = 0; i < x.size(); ++i) {
          want.push_back(factor(counter + i) * x[i]);
          want_sum.push_back(y0[i] + want.back());
        }
        CAPTURE(t->arch);
        CAPTURE(n);
        CAPTURE(counter);
        CHECK(distance(y, want, 0) < 1);
        CHECK(distance(sum, want_sum, 1) < 1.5);
      }
    }
  }
}

}  // namespace heed::kernels
