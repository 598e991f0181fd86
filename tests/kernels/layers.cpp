// Normalization, recurrent gates, additive attention and Adam: kernels that compute a layer's row at once.
#include <doctest/doctest.h>

#include <string>

#include "tests/kernels/support.hpp"

namespace heed::kernels {

namespace {

Exact sigmoid(Exact x) { return 1 / (1 + std::exp(-x)); }

template <class T>
std::vector<Exact> exact(const std::vector<T>& x) {
  return {x.begin(), x.end()};
}

}  // namespace

TEST_CASE_TEMPLATE("layer norm and its gradient", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    const std::string arch = t->arch;
    CAPTURE(arch);
    for (const int64_t size : sizes()) {
      if (size < 3) continue;  // the variance of two close numbers amplifies their roundings
      for (const bool affine : {false, true}) {
        CAPTURE(size);
        const auto n = static_cast<std::size_t>(size);
        const auto x = random<T>(size, 1, 1, 5), gamma = random<T>(size, 2), beta = random<T>(size, 3);
        const auto dy = random<T>(size, 4), before = random<T>(size, 5);
        Exact mu = 0, var = 0;
        for (const T v : x) mu += v;
        mu /= size;
        for (const T v : x) var += (v - mu) * (v - mu);
        const Exact r = 1 / std::sqrt(var / size + T(1e-5));
        std::vector<Exact> want_y, want_dx, want_dgamma, want_dbeta;
        Exact mean_g = 0, mean_gxh = 0;
        for (std::size_t i = 0; i < n; ++i) {
          const Exact xh = (x[i] - mu) * r, g = dy[i] * (affine ? Exact(gamma[i]) : 1);
          mean_g += g / size;
          mean_gxh += g * xh / size;
          want_y.push_back(affine ? xh * gamma[i] + beta[i] : xh);
          want_dgamma.push_back(before[i] + dy[i] * xh);
          want_dbeta.push_back(Exact(before[i]) + dy[i]);
        }
        for (std::size_t i = 0; i < n; ++i) {
          const Exact xh = (x[i] - mu) * r, g = dy[i] * (affine ? Exact(gamma[i]) : 1);
          want_dx.push_back(before[i] + r * (g - mean_g - xh * mean_gxh));
        }
        std::vector<T> y(n), dx = before, dgamma = before, dbeta = before;
        T mean = 0, rstd = 0;
        const T* no = nullptr;
        t->layer_norm(x.data(), affine ? gamma.data() : no, affine ? beta.data() : no, T(1e-5), y.data(),
                      size, &mean, &rstd);
        CHECK(distance(y, want_y, 8) < 4);
        CHECK(tests::close(mean, static_cast<double>(mu), 4 * eps<T>(), 0));
        CHECK(tests::close(rstd, static_cast<double>(r), 8 * eps<T>(), 0));
        t->layer_norm_backward(x.data(), affine ? gamma.data() : no, dy.data(), mean, rstd, true, dx.data(),
                               dgamma.data(), dbeta.data(), size);
        CHECK(distance(dx, want_dx, 8) < 4);
        CHECK(distance(dgamma, want_dgamma, 8) < 4);
        CHECK(distance(dbeta, want_dbeta, 4) < 1);
        t->layer_norm_backward(x.data(), no, dy.data(), mean, rstd, true, nullptr, nullptr, nullptr, size);
        std::fill(dx.begin(), dx.end(), T(NAN));
        t->layer_norm_backward(x.data(), affine ? gamma.data() : no, dy.data(), mean, rstd, false, dx.data(),
                               nullptr, nullptr, size);
        for (std::size_t i = 0; i < n; ++i) want_dx[i] -= before[i];
        CHECK(distance(dx, want_dx, 8) < 4);
      }
    }
  }
}

TEST_CASE_TEMPLATE("rms norm and its gradient", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t size : sizes()) {
      for (const bool affine : {false, true}) {
        const auto n = static_cast<std::size_t>(size);
        const auto x = random<T>(size, 1, 0.5, 3), gamma = random<T>(size, 2);
        const auto dy = random<T>(size, 3), before = random<T>(size, 4);
        Exact squares = 0, mean_gxh = 0;
        for (const T v : x) squares += Exact(v) * v;
        const Exact r = 1 / std::sqrt(squares / size + T(1e-5));
        std::vector<Exact> want_y, want_dx, want_dgamma;
        for (std::size_t i = 0; i < n; ++i) {
          const Exact scale = affine ? Exact(gamma[i]) : 1;
          mean_gxh += dy[i] * scale * x[i] * r / size;
          want_y.push_back(x[i] * r * scale);
          want_dgamma.push_back(before[i] + dy[i] * x[i] * r);
        }
        for (std::size_t i = 0; i < n; ++i) {
          want_dx.push_back(before[i] + r * (dy[i] * (affine ? Exact(gamma[i]) : 1) - x[i] * r * mean_gxh));
        }
        std::vector<T> y(n), dx = before, dgamma = before;
        T rstd = 0;
        const T* scale = affine ? gamma.data() : nullptr;
        t->rms_norm(x.data(), scale, T(1e-5), y.data(), size, &rstd);
        CHECK(distance(y, want_y, 1) < 4);
        CHECK(tests::close(rstd, static_cast<double>(r), 4 * eps<T>(), 0));
        t->rms_norm_backward(x.data(), scale, dy.data(), rstd, true, dx.data(), dgamma.data(), size);
        CHECK(distance(dx, want_dx, 4) < 3);
        CHECK(distance(dgamma, want_dgamma, 4) < 3);
        t->rms_norm_backward(x.data(), scale, dy.data(), rstd, true, nullptr, nullptr, size);
        std::fill(dx.begin(), dx.end(), T(NAN));
        t->rms_norm_backward(x.data(), scale, dy.data(), rstd, false, dx.data(), nullptr, size);
        for (std::size_t i = 0; i < n; ++i) want_dx[i] -= before[i];
        CHECK(distance(dx, want_dx, 4) < 3);
      }
    }
  }
}

TEST_CASE_TEMPLATE("the gates of a GRU and their gradients", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t size : sizes()) {
      const auto n = static_cast<std::size_t>(size);
      const auto gi = random<T>(3 * size, 1), gh = random<T>(3 * size, 2), h = random<T>(size, 3);
      const auto d = random<T>(size, 4), before = random<T>(3 * size, 5);
      std::vector<Exact> next(n), saved(4 * n), dgi(3 * n), dgh(3 * n), dh(n);
      for (std::size_t i = 0; i < n; ++i) {
        const Exact r = sigmoid(Exact(gi[i]) + gh[i]), z = sigmoid(Exact(gi[n + i]) + gh[n + i]);
        const Exact c = std::tanh(gi[2 * n + i] + r * gh[2 * n + i]);
        next[i] = (1 - z) * c + z * h[i];
        saved[i] = r, saved[n + i] = z, saved[2 * n + i] = c, saved[3 * n + i] = gh[2 * n + i];
        const Exact dc = d[i] * (1 - z) * (1 - c * c);
        dgi[2 * n + i] = dc, dgh[2 * n + i] = dc * r;
        dgi[i] = dgh[i] = dc * gh[2 * n + i] * r * (1 - r);
        dgi[n + i] = dgh[n + i] = d[i] * (h[i] - c) * z * (1 - z);
        dh[i] = d[i] * z;
      }
      std::vector<T> got_next(n), got_saved(4 * n), got_dgi(3 * n, NAN), got_dgh(3 * n), got_dh = d;
      t->gru(gi.data(), gh.data(), h.data(), got_next.data(), got_saved.data(), size);
      t->gru_backward(got_saved.data(), h.data(), false, got_dgi.data(), got_dgh.data(), got_dh.data(), size);
      CHECK(distance(got_next, next, 1) < 4);
      CHECK(distance(got_saved, saved, 1) < 4);
      CHECK(distance(got_dgi, dgi, 2) < 4);
      CHECK(distance(got_dgh, dgh, 2) < 4);
      CHECK(distance(got_dh, dh, 2) < 4);
      auto sum = before;
      got_dh = d;
      t->gru_backward(got_saved.data(), h.data(), true, sum.data(), got_dgh.data(), got_dh.data(), size);
      for (std::size_t i = 0; i < 3 * n; ++i) dgi[i] += before[i];
      CHECK(distance(sum, dgi, 2) < 4);
    }
  }
}

TEST_CASE_TEMPLATE("the gates of an LSTM and their gradients", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t size : sizes()) {
      for (const bool add : {false, true}) {
        const auto n = static_cast<std::size_t>(size);
        const auto gi = random<T>(4 * size, 1), gh = random<T>(4 * size, 2), c = random<T>(size, 3);
        const auto dh = random<T>(size, 4), dc_next = random<T>(size, 5), before = random<T>(4 * size, 6);
        std::vector<Exact> h_next(n), c_next(n), dgates(4 * n), dc(n);
        for (std::size_t j = 0; j < n; ++j) {
          const auto gate = [&](std::size_t k) { return Exact(gi[k * n + j]) + gh[k * n + j]; };
          const Exact i = sigmoid(gate(0)), f = sigmoid(gate(1)), g = std::tanh(gate(2)),
                      o = sigmoid(gate(3));
          c_next[j] = f * c[j] + i * g;
          const Exact tc = std::tanh(c_next[j]);
          h_next[j] = o * tc;
          const Exact total = dh[j] * o * (1 - tc * tc) + dc_next[j];
          dc[j] = total * f;
          dgates[j] = total * g * i * (1 - i);
          dgates[n + j] = total * c[j] * f * (1 - f);
          dgates[2 * n + j] = total * i * (1 - g * g);
          dgates[3 * n + j] = dh[j] * tc * o * (1 - o);
        }
        std::vector<Exact> dgi = dgates;
        for (std::size_t j = 0; add && j < 4 * n; ++j) dgi[j] += before[j];
        std::vector<T> got_h(n), got_c(n), saved(5 * n), got_dgates(4 * n), got_dh = dh, got_dc = dc_next;
        std::vector<T> got_dgi = add ? before : std::vector<T>(4 * n, NAN);
        t->lstm(gi.data(), gh.data(), c.data(), got_h.data(), got_c.data(), saved.data(), size);
        t->lstm_backward(saved.data(), c.data(), add, got_dgi.data(), got_dgates.data(), got_dh.data(),
                         got_dc.data(), size);
        CHECK(distance(got_h, h_next, 1) < 4);
        CHECK(distance(got_c, c_next, 2) < 4);
        CHECK(distance(got_dgates, dgates, 2) < 4);
        CHECK(distance(got_dc, dc, 2) < 4);
        CHECK(distance(got_dgi, dgi, 2) < 4);
        CHECK(got_dh == std::vector<T>(n, 0));
      }
    }
  }
}

TEST_CASE_TEMPLATE("additive scores and their gradients", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t n : sizes()) {
      for (const int64_t s : {1, 2, 5}) {
        const auto q = random<T>(n, 1), k = random<T>(s * n, 2), v = random<T>(n, 3);
        auto dscore = random<T>(s, 4);
        dscore[0] = s > 1 ? T(0) : dscore[0];  // skipped
        const auto q0 = random<T>(n, 5), k0 = random<T>(s * n, 6), v0 = random<T>(n, 7);
        std::vector<Exact> score(static_cast<std::size_t>(s)), dq = exact(q0), dk = exact(k0), dv = exact(v0);
        for (std::size_t i = 0; i < k.size(); ++i) {
          const std::size_t j = i / static_cast<std::size_t>(n), c = i % static_cast<std::size_t>(n);
          const Exact th = std::tanh(Exact(q[c]) + k[i]), u = dscore[j] * v[c] * (1 - th * th);
          score[j] += v[c] * th;
          dq[c] += u;
          dk[i] += u;
          dv[c] += dscore[j] * th;
        }
        std::vector<T> got(score.size()), got_dq = q0, got_dk = k0, got_dv = v0;
        t->additive(q.data(), k.data(), v.data(), got.data(), s, n);
        t->additive_backward(q.data(), k.data(), v.data(), dscore.data(), got_dq.data(), got_dk.data(),
                             got_dv.data(), s, n);
        CHECK(distance(got, score, 2 + std::sqrt(static_cast<double>(n))) < 4);
        CHECK(distance(got_dq, dq, 4) < 3);
        CHECK(distance(got_dk, dk, 4) < 3);
        CHECK(distance(got_dv, dv, 4) < 3);
        t->additive_backward(q.data(), k.data(), v.data(), dscore.data(), nullptr, nullptr, nullptr, s, n);
      }
    }
  }
}

TEST_CASE_TEMPLATE("a step of Adam with decoupled weight decay", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    for (const int64_t n : sizes()) {
      auto p = random<T>(n, 1), m = random<T>(n, 3), v = random<T>(n, 4, 0, 1);
      const auto g = random<T>(n, 2);
      const T b1 = T(0.9), b2 = T(0.999), step = T(0.01), sqrt_c2 = T(0.5), eps_ = T(1e-8), decay = T(0.001);
      std::vector<Exact> want_p, want_m, want_v;
      for (std::size_t i = 0; i < p.size(); ++i) {
        want_m.push_back(b1 * Exact(m[i]) + (1 - Exact(b1)) * g[i]);
        want_v.push_back(b2 * Exact(v[i]) + (1 - Exact(b2)) * g[i] * g[i]);
        want_p.push_back(p[i] * (1 - Exact(decay)) -
                         step * want_m[i] / (std::sqrt(want_v[i]) / sqrt_c2 + eps_));
      }
      t->adamw(p.data(), g.data(), m.data(), v.data(), n, b1, b2, step, sqrt_c2, eps_, decay);
      CHECK(distance(p, want_p, 1) < 4);
      CHECK(distance(m, want_m, 1) < 3);
      CHECK(distance(v, want_v, 1) < 3);
    }
  }
}

TEST_CASE_TEMPLATE("Adam's moments end at 0 when the gradients stop, not at a subnormal", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    std::vector<T> p(5, 1), g(5, 0), m(5, std::numeric_limits<T>::min()), v(5, std::numeric_limits<T>::min());
    t->adamw(p.data(), g.data(), m.data(), v.data(), 5, T(0.9), T(0.999), T(0.01), T(1), T(1e-8), T(0));
    CHECK(m == std::vector<T>(5, 0));
    CHECK(v == std::vector<T>(5, 0));
  }
}

TEST_CASE_TEMPLATE("multiply_adds does as many as it was asked for", T, float, double) {
  for (const Table<T>* t : tables<T>()) {
    const std::string arch = t->arch;
    const int64_t bytes = arch == "avx512" ? 64 : arch == "avx2" ? 32 : 16;
    const int64_t lanes = bytes / int64_t(sizeof(T)), n = 12 * lanes * 7;
    // x = x + 1 adds n in all to chains that begin at 0 to 11; x = -x, seven times, turns their signs
    CHECK(t->multiply_adds(n, T(1), T(1)) == T(66 * lanes + n));
    CHECK(t->multiply_adds(n, T(-1), T(0)) == T(-66 * lanes));
    CHECK(t->multiply_adds(0, T(1), T(1)) == T(66 * lanes));
  }
}

}  // namespace heed::kernels
