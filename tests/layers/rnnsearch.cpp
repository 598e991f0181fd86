// RNNsearch and the RNN Encoder-Decoder: the papers' formulas on plain numbers, their initialisation, and the
// bridge between the two.
#include "layers/models/rnnsearch.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "layers/models/rnn_encoder_decoder.hpp"
#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

using Vector = std::vector<double>;
using Reset = GatedUnit::Reset;

constexpr int64_t S = 4, T = 3;
const Ids source({2, S}, {4, 5, 6, 7, 6, 4, 0, 0});
const Ids target({2, T}, {1, 3, 4, 1, 5, 3});
const std::vector<int32_t> lengths{4, 2};

Vector row(const Tensor& table, int32_t i) {
  const real* at = table.data() + i * table.size(1);
  return {at, at + table.size(1)};
}

Vector operator+(Vector a, const Vector& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

Vector operator*(Vector a, const Vector& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] *= b[i];
  return a;
}

Vector map(Vector x, double (*f)(double)) {
  for (double& v : x) v = f(v);
  return x;
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }
double hyperbolic(double x) { return std::tanh(x); }

// The rows [part n, (part + 1) n) of W, times x.
Vector times(const Tensor& W, const Vector& x, int64_t part = 0, int64_t n = 0) {
  if (n == 0) n = W.size(0);
  Vector y(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < W.size(1); ++j)
      y[size_t(i)] += double(W.data()[(part * n + i) * W.size(1) + j]) * x[size_t(j)];
  }
  return y;
}

Vector values(const Tensor& b, int64_t part = 0, int64_t n = 0) {
  if (n == 0) n = b.size();
  return {b.data() + part * n, b.data() + (part + 1) * n};
}

// A.1.1: reset, update, candidate, blend. An empty c: no context.
Vector cell(const GatedUnit& u, const Vector& x, const Vector& c, const Vector& s) {
  const auto n = static_cast<int64_t>(s.size());
  const auto of_c = [&](int64_t part) { return c.empty() ? Vector(s.size()) : times(u.C, c, part, n); };
  const auto gate = [&](int64_t part) {
    const Vector told = times(u.W, x, part, n) + of_c(part) + values(u.b, part, n);
    return map(told + times(u.U_rz, s, part, n), logistic);
  };
  const Vector r = gate(0), z = gate(1);
  const Vector from_x = times(u.W, x, 2, n) + values(u.b, 2, n);
  const Vector candidate = u.options.reset == Reset::state
                               ? map(from_x + of_c(2) + times(u.U, r * s), hyperbolic)
                               : map(from_x + r * (times(u.U, s) + of_c(2)), hyperbolic);
  Vector next(s.size());
  for (size_t i = 0; i < next.size(); ++i) next[i] = (1 - z[i]) * s[i] + z[i] * candidate[i];
  return next;
}

// A.2.2: U_o s + V_o E y + C_o c, the larger of each two neighbours, W_o.
Vector readout(const GatedDecoder& d, const Vector& s, const Vector& y, const Vector& c) {
  const Vector sums = times(d.U_o, s) + times(d.V_o, y) + times(d.C_o, c) + values(d.b_o);
  Vector t;
  for (size_t j = 0; j < sums.size(); j += 2) t.push_back(std::max(sums[j], sums[j + 1]));
  return times(d.W_o, t) + values(d.b_y);
}

// Row b of what a model predicts, with the context that `look` gives for s_(i-1), against `found`.
template <class Look>
void check_decoder(const GatedDecoder& d, Vector s, Look look, const Tensor& logits, int64_t b) {
  for (int64_t t = 0; t < T; ++t) {
    const Vector y = row(d.embedding.weight, target[b * T + t]);
    const Vector c = look(s, t);
    const Vector next = cell(d.cell, y, c, s);
    const Vector expected = readout(d, d.options.current ? next : s, y, c);
    const int64_t V = logits.size(2);
    for (int64_t v = 0; v < V; ++v) {
      const auto logit = static_cast<double>(logits.data()[(b * T + t) * V + v]);
      CHECK(std::abs(logit - expected[size_t(v)]) <= tolerance * 10);
    }
    s = next;
  }
}

// Every parameter U(-0.7, 0.7): as they begin they are too small to tell formulas apart.
void scatter(const Module& model, uint64_t seed) {
  Rng rng(seed);
  for (NamedParameter& p : named_parameters(model))
    for (int64_t i = 0; i < p.tensor.size(); ++i)
      p.tensor.mutable_data()[i] = static_cast<real>(rng.uniform(-0.7, 0.7));
}

RnnSearch search_model(Reset reset = Reset::state, bool current = false) {
  Rng rng(1);
  RnnSearch model({.source_vocabulary = 8,
                   .target_vocabulary = 6,
                   .embed = 3,
                   .hidden = 4,
                   .alignment = 5,
                   .maxout = 3,
                   .reset = reset,
                   .current = current},
                  rng);
  scatter(model, 2);
  return model;
}

RnnEncoderDecoder plain_model(Reset reset = Reset::product, bool current = true) {
  Rng rng(3);
  RnnEncoderDecoder model({.source_vocabulary = 8,
                           .target_vocabulary = 6,
                           .embed = 3,
                           .hidden = 4,
                           .context = 8,
                           .maxout = 3,
                           .reset = reset,
                           .current = current},
                          rng);
  scatter(model, 4);
  return model;
}

TEST_CASE("RNNsearch: appendix A.2 on plain numbers") {
  const RnnSearch model = search_model();
  const Prediction found = model(source, lengths, target, {});
  for (int64_t b = 0; b < 2; ++b) {
    const auto n = static_cast<size_t>(lengths[size_t(b)]);
    std::vector<Vector> there(n), back(n), annotations;
    for (size_t j = 0; j < n; ++j) {
      const Vector x = row(model.embedding.weight, source[b * S + int64_t(j)]);
      there[j] = cell(model.encoder_forward, x, {}, j == 0 ? Vector(4) : there[j - 1]);
    }
    for (size_t j = n; j-- > 0;) {
      const Vector x = row(model.embedding.weight, source[b * S + int64_t(j)]);
      back[j] = cell(model.encoder_backward, x, {}, j + 1 == n ? Vector(4) : back[j + 1]);
    }
    for (size_t j = 0; j < n; ++j) {
      annotations.push_back(there[j]);
      annotations[j].insert(annotations[j].end(), back[j].begin(), back[j].end());
    }
    const auto look = [&](const Vector& s, int64_t t) {
      Vector e(n), context(8);
      double total = 0;
      for (size_t j = 0; j < n; ++j) {
        const Vector inner =
            times(model.scorer.query.weight, s) + times(model.scorer.key.weight, annotations[j]);
        double score = 0;
        for (size_t a = 0; a < inner.size(); ++a)
          score += double(model.scorer.v.data()[a]) * std::tanh(inner[a]);
        total += e[j] = std::exp(score);
      }
      for (size_t j = 0; j < n; ++j) {
        const auto weight = static_cast<double>(found.weights.data()[(b * T + t) * S + int64_t(j)]);
        CHECK(std::abs(weight - e[j] / total) <= tolerance);
        for (size_t i = 0; i < 8; ++i) context[i] += e[j] / total * annotations[j][i];
      }
      return context;
    };
    const Vector s0 = map(times(model.W_s, back[0]) + values(model.b_s), hyperbolic);
    check_decoder(model.decoder, s0, look, found.logits, b);
  }
}

TEST_CASE("RNN Encoder-Decoder: appendix A on plain numbers, and nothing attends") {
  const RnnEncoderDecoder model = plain_model();
  const Prediction found = model(source, lengths, target, {});
  CHECK(!found.weights.defined());
  for (int64_t b = 0; b < 2; ++b) {
    Vector h(4);
    for (int64_t j = 0; j < lengths[size_t(b)]; ++j)
      h = cell(model.encoder, row(model.embedding.weight, source[b * S + j]), {}, h);
    Vector c = map(times(model.V, h) + values(model.b_V), hyperbolic);
    const Vector start = map(times(model.V_prime, c) + values(model.b_V_prime), hyperbolic);
    check_decoder(
        model.decoder, start, [&](const Vector&, int64_t) { return c; }, found.logits, b);
  }
}

TEST_CASE("RNNsearch told a memory of a single slot is the RNN Encoder-Decoder (A.2.2's remark)") {
  for (const Reset reset : {Reset::state, Reset::product}) {
    for (const bool current : {false, true}) {
      const RnnSearch search = search_model(reset, current);
      const RnnEncoderDecoder plain = plain_model(reset, current);
      clone_from(search.decoder, plain.decoder);
      const Prediction expected = plain(source, lengths, target, {});
      const DecoderState told = plain.start(source, lengths);
      const Tensor& c = told.memories[0].values;
      DecoderState state{.memories = {search.scorer.prepare(c, c)}, .tensors = {told.tensors[0]}};
      for (int64_t t = 0; t < T; ++t) {
        const Prediction one = search.step(state, Ids({2}, {target[t], target[T + t]}));
        CHECK(close_all(one.logits, select(expected.logits, 1, t), sizeof(real) == 8 ? 1e-10 : tolerance));
        CHECK(close_all(one.weights, Tensor::full({2, 1}, 1), 0));
      }
    }
  }
}

TEST_CASE("the update gate of Cho et al. is Bahdanau's with the sign of its parameters turned") {
  Rng rng(5);
  const GatedUnit unit({.input = 3, .hidden = 4}, rng);
  scatter(unit, 6);
  const Tensor x = random_tensor({2, 3}, rng), s = random_tensor({2, 4}, rng);
  const Tensor told = linear(x, unit.W, unit.b), gates = slice(told, 1, 0, 8) + linear(s, unit.U_rz);
  const Tensor r = sigmoid(slice(gates, 1, 0, 4)), z = sigmoid(-slice(gates, 1, 4, 8));
  const Tensor candidate = tanh(slice(told, 1, 8, 12) + linear(r * s, unit.U));
  CHECK(close_all(unit(unit.read(x), {}, s), z * s + shift(-z, 1) * candidate));  // eq. 7
}

double deviation(const Tensor& x) {
  double squares = 0;
  for (const real v : x.values()) squares += double(v) * double(v);
  return std::sqrt(squares / double(x.size()));
}

TEST_CASE("RNNsearch begins as B.1 says") {
  Rng rng(7);
  const RnnSearch model({.source_vocabulary = 50, .target_vocabulary = 40, .embed = 30, .hidden = 24}, rng);
  const Tensor eye = matmul(model.decoder.cell.U, model.decoder.cell.U, {.b = true});
  for (int64_t i = 0; i < 24; ++i)
    for (int64_t j = 0; j < 24; ++j)
      CHECK(std::abs(double(eye.data()[i * 24 + j]) - (i == j ? 1 : 0)) <= 10 * tolerance);
  for (const int part : {0, 1}) {
    const Tensor half = slice(model.encoder_backward.U_rz, 0, part * 24, part * 24 + 24);
    CHECK(close_all(matmul(half, half, {.b = true}), eye, 10 * tolerance));
  }
  CHECK(all_zero(model.scorer.v));
  for (const Tensor& b : {model.encoder_forward.b, model.b_s, model.decoder.b_o, model.decoder.b_y})
    CHECK(all_zero(b));
  for (const Tensor& w : {model.scorer.query.weight, model.scorer.key.weight})
    CHECK(std::abs(deviation(w) - 1e-3) <= 1e-4);
  for (const Tensor& w : {model.encoder_forward.W, model.decoder.cell.C, model.W_s, model.embedding.weight,
                          model.decoder.W_o, model.decoder.U_o})
    CHECK(std::abs(deviation(w) - 1e-2) <= 1e-3);
}

TEST_CASE("RNNsearch and the RNN Encoder-Decoder: what cannot be built is one sentence") {
  Rng rng(8);
  CHECK(error_of([&] { RnnSearch({.source_vocabulary = 5, .target_vocabulary = 5, .hidden = 0}, rng); }) ==
        "RnnSearch: embed 32, hidden 0, alignment 0, maxout 1 must be at least 1");
  CHECK(error_of([&] {
          RnnEncoderDecoder({.source_vocabulary = 5, .target_vocabulary = 5, .embed = 0}, rng);
        }) == "RnnEncoderDecoder: embed 0, hidden 64, context 64, maxout 32 must be at least 1");
  CHECK(error_of([&] { GatedUnit({.input = 3, .hidden = 2, .context = -1}, rng); }) ==
        "GatedUnit: input 3, hidden 2, context -1: wants at least 1, 1, 0");
}

}  // namespace
}  // namespace heed::tests
