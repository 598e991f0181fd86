#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>

#include "layers/models/beam.hpp"
#include "layers/models/recurrent.hpp"
#include "layers/models/rnn_encoder_decoder.hpp"
#include "layers/models/tokens.hpp"
#include "layers/models/transformer.hpp"
#include "layers/positions.hpp"
#include "tests/layers/common.hpp"
#include "tests/layers/halves.hpp"

// What the tests of decoding share: models, what teacher forcing says of an answer, a language model whose
// distribution is a table.

namespace heed::tests {

inline constexpr int64_t B = 3, S = 5;
inline const std::vector<int32_t> lengths{5, 2, 3};

using Tokens = std::vector<int32_t>;
using Answers = std::vector<std::vector<Decoded>>;
using Check = std::function<void(const Seq2Seq& model, int64_t vocabulary)>;

// Parameters that are large enough for the distributions to differ much from step to step.
inline void scatter(const Module& model, uint64_t seed) {
  Rng rng(seed);
  for (NamedParameter& p : named_parameters(model)) {
    p.tensor.assign(scale(random_tensor(p.tensor.shape(), rng), real(1.5)).values());
  }
}

inline RecurrentSeq2Seq::Options recurrent_options(int64_t vocabulary, DecoderOrder order, bool own_past) {
  return {.source_vocabulary = 9,
          .target_vocabulary = vocabulary,
          .embed = 5,
          .hidden = 6,
          .order = order,
          .own_past = own_past};
}

inline TransformerSeq2Seq::Options transformer_options(int64_t vocabulary) {
  return {.source_vocabulary = 9, .target_vocabulary = vocabulary, .size = 8, .layers = 2, .heads = 2};
}

// Recurrent models, one of which does not attend; the Transformer, with each kind of positions and with heads
// that share keys and values; every pair of halves. As they begin and scattered.
inline void for_all_models(int64_t vocabulary, const Check& check) {
  for (const uint64_t seed : {0, 1, 2, 3}) {
    CAPTURE(seed);
    Rng rng(seed);
    std::vector<std::unique_ptr<Seq2Seq>> models;
    for (const DecoderOrder order : {DecoderOrder::luong, DecoderOrder::input_feeding}) {
      for (const bool own_past : {false, true}) {
        models.push_back(
            std::make_unique<RecurrentSeq2Seq>(recurrent_options(vocabulary, order, own_past), rng));
      }
    }
    models.push_back(std::make_unique<RnnEncoderDecoder>(
        RnnEncoderDecoder::Options{
            .source_vocabulary = 9, .target_vocabulary = vocabulary, .embed = 5, .hidden = 6},
        rng));
    for (const KnownPositions& positions : known_positions()) {
      TransformerSeq2Seq::Options options = transformer_options(vocabulary);
      options.positions = positions.name;
      options.kv_heads = positions.name == std::string("relative") ? 1 : 2;
      models.push_back(std::make_unique<TransformerSeq2Seq>(options, rng));
    }
    for_all_halves(
        {.source_vocabulary = 9, .target_vocabulary = vocabulary, .embed = 5, .hidden = 6, .layers = 2},
        [&](EncoderDecoder model) { models.push_back(std::make_unique<EncoderDecoder>(std::move(model))); });
    for (size_t i = 0; i < models.size(); ++i) {
      CAPTURE(i);
      if (seed > 0) scatter(*models[i], seed);
      check(*models[i], vocabulary);
    }
  }
}

inline Ids random_source(Rng& rng) {
  Ids source = random_ids({B, S}, tokens::first_word, 9, rng);
  for (int64_t b = 0; b < B; ++b) {
    for (int64_t s = lengths[static_cast<size_t>(b)]; s < S; ++s) {
      source.values()[static_cast<size_t>(b * S + s)] = tokens::pad;
    }
  }
  return source;
}

// Row b alone, without its padding.
inline Ids row(const Ids& ids, int64_t b) {
  const int32_t n = lengths[static_cast<size_t>(b)];
  const auto* at = ids.values().data() + b * ids.shape()[1];
  return {{1, n}, {at, at + n}};
}

// What teacher forcing says of one answer to row b of the source.
struct Forced {
  double log_p = 0, score = 0;
  Tensor weights;  // (tokens, S of the row alone)
};

inline Forced forced(const Seq2Seq& model, const Ids& source, int64_t b, Tokens answer, bool ended,
                     const BeamOptions& options) {
  const NoGrad no_grad;
  const auto count = static_cast<int64_t>(answer.size());
  Tokens fed = answer;
  fed.insert(fed.begin(), tokens::bos);
  if (ended) answer.push_back(tokens::eos);
  fed.resize(answer.size());
  const int32_t n = lengths[static_cast<size_t>(b)];
  const auto steps = static_cast<int64_t>(fed.size());
  const Prediction all = model(row(source, b), Tokens{n}, Ids({1, steps}, fed), {});
  const Tensor log_p = log_softmax(all.logits);
  Forced result;
  for (int64_t t = 0; t < steps; ++t) {
    result.log_p += log_p.data()[t * log_p.size(2) + answer[static_cast<size_t>(t)]];
  }
  const double length = static_cast<double>(steps);
  result.score = result.log_p / std::pow((5 + length) / 6, options.length_penalty);
  if (!all.weights.defined()) return result;
  result.weights = select(slice(all.weights, 1, 0, count), 0, 0);
  for (int64_t j = 0; j < n; ++j) {
    double total = 0;
    for (int64_t t = 0; t < count; ++t) total += result.weights.data()[t * n + j];
    result.score += options.coverage_penalty * std::log(std::min(std::max(total, least_coverage), 1.0));
  }
  return result;
}

inline bool near(double a, double b) {
  return std::abs(a - b) <= 10 * tolerance * std::max(1.0, std::abs(b));
}

inline void check_same(const Decoded& a, const Decoded& b) {
  CHECK(a.tokens == b.tokens);
  CHECK(a.ended == b.ended);
  CHECK(near(a.log_probability, b.log_probability));
  REQUIRE(a.weights.defined() == b.weights.defined());
  if (!a.weights.defined()) return;
  const int64_t slots = std::min(a.weights.size(1), b.weights.size(1));
  CHECK(close_all(slice(a.weights, 1, 0, slots), slice(b.weights, 1, 0, slots)));
}

// A language model whose next token depends on the last one alone: p(next | previous), a row each.
struct Markov : Autoregressive {
  explicit Markov(std::vector<std::vector<double>> table) : p(std::move(table)) {}
  Prediction step(DecoderState& state, const Ids& previous) const override {
    rows.push_back(previous.size());
    ++state.steps;
    const auto size = static_cast<int64_t>(p.size());
    Tensor logits = Tensor::empty({previous.size(), size});
    for (int64_t b = 0; b < previous.size(); ++b) {
      const std::vector<double>& from = p[static_cast<size_t>(previous[b])];
      for (int64_t v = 0; v < size; ++v) {
        logits.mutable_data()[b * size + v] = static_cast<real>(std::log(from[static_cast<size_t>(v)]));
      }
    }
    return {logits, {}};
  }
  void visit(const Visitor& /*visitor*/) const override {}
  std::vector<std::vector<double>> p;
  mutable std::vector<int64_t> rows;  // of each step's batch
};

}  // namespace heed::tests
