// Memory networks: their formulas written out. What they learn: tests/examples/recall.cpp.
#include "layers/models/memory_network.hpp"

#include <doctest/doctest.h>

#include "tests/layers/numbers.hpp"

namespace heed::tests {
namespace {

using Tying = MemoryNetwork::Tying;
using Words = MemoryNetwork::Words;

constexpr int64_t B = 2, S = 4, J = 3, D = 4, V = 9;
const std::vector<int32_t> lengths{4, 2};

// Facts of 1 to 3 words, filled up with pad = 0.
Ids random_facts(Rng& rng) {
  Ids facts = random_ids({B, S, J}, 1, V, rng);
  for (int64_t i = 0; i < B * S; ++i) {
    for (int64_t j = 1 + i % J; j < J; ++j) facts.values()[static_cast<size_t>(i * J + j)] = 0;
  }
  return facts;
}

std::vector<int32_t> words_of(const Ids& ids, int64_t row) {
  const int64_t n = ids.shape()[-1];
  std::vector<int32_t> words;
  for (int64_t j = 0; j < n && ids[row * n + j] != 0; ++j) words.push_back(ids[row * n + j]);
  return words;
}

// sum_j l_j A x_j, with l_kj = (1 - j/J) - (k/D)(1 - 2j/J), j and k from 1.
Vector encode(const Numbers& p, const std::string& table, const std::vector<int32_t>& words, Words how) {
  Vector sum(D);
  const auto count = static_cast<double>(words.size());
  for (size_t j = 0; j < words.size(); ++j) {
    const Vector row = p.row(table, words[j]);
    for (size_t k = 0; k < D; ++k) {
      const double at = static_cast<double>(j + 1) / count;
      const double l = (1 - at) - static_cast<double>(k + 1) / D * (1 - 2 * at);
      sum[k] += (how == Words::bag ? 1 : l) * row[k];
    }
  }
  return sum;
}

struct Naive {
  Vector logits;
  std::vector<Vector> weights;  // of each hop
};

Naive answer_of(const Numbers& p, const MemoryNetwork::Options& o, const Ids& facts, const Ids& question,
                int64_t b) {
  const bool adjacent = o.tying == Tying::adjacent;
  const int64_t n = lengths[static_cast<size_t>(b)];
  const auto memory = [&](const std::string& number) {
    std::vector<Vector> list;
    for (int64_t s = 0; s < n; ++s) {
      const Vector fact = encode(p, "embeddings." + number + ".weight", words_of(facts, b * S + s), o.words);
      list.push_back(o.slots > 0 ? plus(fact, p.row("times." + number + ".weight", n - 1 - s)) : fact);
    }
    return list;
  };
  Naive result;
  Vector u = encode(p, adjacent ? "embeddings.0.weight" : "question.weight", words_of(question, b), o.words);
  for (int64_t k = 0; k < o.hops; ++k) {
    const auto keys = memory(std::to_string(adjacent ? k : 0));
    const auto values = memory(std::to_string(adjacent ? k + 1 : 1));
    Vector scores;
    for (const Vector& key : keys) scores.push_back(o.attention ? dot(u, key) : 0);
    const Vector weights = softmax_of(scores);
    u = plus(adjacent ? u : p.times("H.weight", u), average(weights, values, D));
    result.weights.push_back(weights);
  }
  result.logits = p.times(adjacent ? "embeddings." + std::to_string(o.hops) + ".weight" : "W.weight", u);
  return result;
}

// Weights onto the facts of row b in every hop, and none onto what lies beyond.
bool same_weights(const Tensor& found, const Naive& expected, int64_t b) {
  const auto hops = static_cast<int64_t>(expected.weights.size());
  for (int64_t k = 0; k < hops; ++k) {
    Vector row = expected.weights[static_cast<size_t>(k)];
    row.resize(S);
    if (!close_vectors(row_of(found, b * hops + k), row)) return false;
  }
  return true;
}

TEST_CASE("memory network: hops, tyings, positions and times, written out") {
  for (const Tying tying : {Tying::adjacent, Tying::layerwise}) {
    for (const int64_t slots : {0, 6}) {
      const Words how = slots == 0 ? Words::bag : Words::positions;
      for (const bool attention : {true, false}) {
        Rng rng(1);
        const MemoryNetwork::Options options{.vocabulary = V,
                                             .size = D,
                                             .hops = 3,
                                             .slots = slots,
                                             .tying = tying,
                                             .words = how,
                                             .attention = attention};
        const MemoryNetwork model(options, rng);
        for (NamedParameter& p : named_parameters(model)) {  // larger, so that weights are far from equal
          for (real& x : std::span(p.tensor.mutable_data(), static_cast<size_t>(p.tensor.size()))) x *= 8;
        }
        const Ids facts = random_facts(rng);
        const Ids question({B, 2}, {3, 5, 4, 0});
        const Answer found = model(facts, lengths, question);
        CHECK(found.logits.shape() == Shape{B, V});
        CHECK(found.weights.shape() == Shape{B, 3, S});
        for (int64_t b = 0; b < B; ++b) {
          const Naive expected = answer_of(Numbers(model), options, facts, question, b);
          CHECK(close_vectors(row_of(found.logits, b), expected.logits));
          CHECK(same_weights(found.weights, expected, b));
        }
      }
    }
  }
}

TEST_CASE("key-value network: one A, R after every hop, candidates, written out") {
  for (const bool tied : {true, false}) {
    Rng rng(2);
    const KeyValueNetwork model({.vocabulary = V, .size = D, .hops = 2, .tied = tied}, rng);
    const Numbers p(model);
    for (NamedParameter& parameter : named_parameters(model)) {
      for (real& x : std::span(parameter.tensor.mutable_data(), static_cast<size_t>(parameter.tensor.size())))
        x *= 5;
    }
    const Ids keys = random_facts(rng), values = random_ids({B, S, 1}, 1, V, rng);
    const Ids question({B, 2}, {3, 5, 4, 0}), candidates({3, 1}, {2, 7, 8});
    const Answer found = model(keys, values, lengths, question, candidates);
    CHECK(found.logits.shape() == Shape{B, 3});
    for (int64_t b = 0; b < B; ++b) {
      Naive expected;
      Vector q = encode(p, "A.weight", words_of(question, b), Words::bag);
      for (int64_t hop = 0; hop < 2; ++hop) {
        Vector scores;
        std::vector<Vector> read;
        for (int64_t s = 0; s < lengths[static_cast<size_t>(b)]; ++s) {
          scores.push_back(dot(q, encode(p, "A.weight", words_of(keys, b * S + s), Words::bag)));
          read.push_back(encode(p, "A.weight", words_of(values, b * S + s), Words::bag));
        }
        expected.weights.push_back(softmax_of(scores));
        q = p.times("R." + std::to_string(hop) + ".weight",
                    plus(q, average(expected.weights.back(), read, D)));
      }
      for (const int32_t candidate : {2, 7, 8}) {
        expected.logits.push_back(dot(q, p.row(tied ? "A.weight" : "B.weight", candidate)));
      }
      CHECK(close_vectors(row_of(found.logits, b), expected.logits));
      CHECK(same_weights(found.weights, expected, b));
    }
  }
}

TEST_CASE("memory network: names, and errors as sentences") {
  Rng rng(3);
  CHECK(names_of(MemoryNetwork({.vocabulary = V, .size = D, .hops = 2}, rng)) ==
        Names{"embeddings.0.weight", "embeddings.1.weight", "embeddings.2.weight"});
  CHECK(names_of(MemoryNetwork({.vocabulary = V, .size = D, .hops = 3, .slots = 5, .tying = Tying::layerwise},
                               rng)) == Names{"embeddings.0.weight", "embeddings.1.weight", "times.0.weight",
                                              "times.1.weight", "question.weight", "H.weight", "W.weight"});
  CHECK(names_of(KeyValueNetwork({.vocabulary = V, .size = D, .hops = 2, .tied = false}, rng)) ==
        Names{"A.weight", "B.weight", "R.0.weight", "R.1.weight"});
  CHECK(error_of([&] { MemoryNetwork({.vocabulary = V, .hops = 0}, rng); }) ==
        "MemoryNetwork: size 32, hops 0 must be at least 1");
  const MemoryNetwork model({.vocabulary = V, .size = D, .slots = 3}, rng);
  const Ids facts = random_facts(rng), question({B, 1}, {3, 4});
  CHECK(error_of([&] { model(facts, lengths, question); }) ==
        "MemoryNetwork: 4 facts, the temporal encoding has 3");
  CHECK(error_of([&] { model(facts, std::vector<int32_t>{1}, question); }) ==
        "MemoryNetwork: 1 lengths for a batch of 2");
  CHECK(error_of([&] { model(question, lengths, question); }) ==
        "MemoryNetwork: facts are (2, 1), wants (B, S, J) with all at least 1");
  CHECK(error_of([&] {
          model(facts, lengths, Ids({3, 1}, {1, 2, 3}));
        }) == "MemoryNetwork: question is (3, 1), wants (2, words)");
  const KeyValueNetwork other({.vocabulary = V, .size = D}, rng);
  CHECK(error_of([&] {
          other(facts, facts, lengths, question, Ids({2}, {1, 2}));
        }) == "KeyValueNetwork: candidates is (2), wants (C, words)");
  CHECK(error_of([&] {
          other(facts, random_ids({B, 3, 1}, 1, V, rng), lengths, question, question);
        }) == "KeyValueNetwork: 4 keys for 3 values");
}

}  // namespace
}  // namespace heed::tests
