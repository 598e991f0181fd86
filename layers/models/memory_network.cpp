#include "layers/models/memory_network.hpp"

#include <string>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"
#include "layers/models/tokens.hpp"
#include "layers/place.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

constexpr real stddev = real(0.1);

// What each word counts in its fact, for ids (..., J): (..., J, 1) or, weighted by position, (..., J, D).
Tensor word_weights(const Ids& ids, MemoryNetwork::Words words, int64_t size) {
  const int64_t most = ids.shape()[-1];
  const int64_t features = words == MemoryNetwork::Words::bag ? 1 : size;
  Tensor weights = Tensor::zeros({ids.size() / most, most, features});
  real* out = weights.mutable_data();
  for (int64_t row = 0; row < ids.size(); row += most) {
    int64_t count = 0;  // J: words fill a fact from its beginning
    while (count < most && ids[row + count] != tokens::pad) ++count;
    for (int64_t j = 0; j < count; ++j) {
      const real at = static_cast<real>(j + 1) / static_cast<real>(count);
      for (int64_t k = 0; k < features; ++k) {
        const real share = static_cast<real>(k + 1) / static_cast<real>(size);
        out[(row + j) * features + k] =
            words == MemoryNetwork::Words::bag ? 1 : (1 - at) - share * (1 - 2 * at);
      }
    }
  }
  return weights;
}

// Bags of words under one table: ids (..., J), their weights -> (..., D).
Tensor bags(const Embedding& table, const Ids& ids, const Tensor& weights) {
  const int64_t words = ids.shape()[-1];
  const int64_t size = table.weight.size(1);
  const Ids flat({ids.size() / words, words}, ids.values());
  const Tensor sums = sum(table(flat) * weights, 1);  // (rows, D)
  return ids.shape().rank() == 3 ? sums.reshape({ids.shape()[0], ids.shape()[1], size}) : sums;
}

void check_facts(const char* who, const char* what, const Ids& facts, std::span<const int32_t> lengths) {
  if (facts.shape().rank() != 3 || facts.size() == 0) {
    fail("{}: {} are {}, wants (B, S, J) with all at least 1", who, what, facts.shape().text());
  }
  if (static_cast<int64_t>(lengths.size()) != facts.shape()[0]) {
    fail("{}: {} lengths for a batch of {}", who, lengths.size(), facts.shape()[0]);
  }
}

void check_words(const char* who, const char* what, const Ids& ids, int64_t rows) {
  const bool fits = ids.shape().rank() == 2 && ids.size() > 0 && (rows == 0 || ids.shape()[0] == rows);
  if (fits) return;
  fail("{}: {} is {}, wants ({}, words)", who, what, ids.shape().text(),
       rows == 0 ? "C" : std::to_string(rows));
}

void check_sizes(const char* who, int64_t size, int64_t hops) {
  if (size < 1 || hops < 1) fail("{}: size {}, hops {} must be at least 1", who, size, hops);
}

// How long ago each fact was told: 0 the last of its row, (B, S).
Ids ages(std::span<const int32_t> lengths, int64_t slots) {
  Ids ids({static_cast<int64_t>(lengths.size()), slots});
  auto out = ids.values().begin();
  for (const int32_t length : lengths) {
    for (int64_t s = 0; s < slots; ++s) *out++ = s < length ? length - 1 - static_cast<int32_t>(s) : 0;
  }
  return ids;
}

template <class Options>
Options checked(const char* who, const Options& o) {
  check_sizes(who, o.size, o.hops);
  check_place(who, o.scorer, o.normalizer, {.order = false});
  if (!o.attention && (o.scorer != "dot" || o.normalizer != "softmax"))
    fail("{}: without attention there is nothing that {} and {} could do", who, o.scorer, o.normalizer);
  return o;
}

// The query of a hop; the dot product of one of zeros with any key is 0, so that softmax gives the mean.
Tensor asking(const Tensor& u, bool attention) { return attention ? u : zeros_like(u); }

std::unique_ptr<Scorer> square_scorer(const std::string& name, int64_t size, Rng& rng) {
  return make_scorer(name, {.query = size, .key = size, .hidden = size}, rng);
}

std::unique_ptr<Normalizer> square_normalizer(const std::string& name, int64_t size, Rng& rng) {
  return make_normalizer(name, {.query = size, .hidden = size}, rng);
}

}  // namespace

MemoryNetwork::MemoryNetwork(const Options& options, Rng& rng)
    : options_(checked("MemoryNetwork", options)),
      scorer_(square_scorer(options.scorer, options.size, rng)),
      normalizer_(square_normalizer(options.normalizer, options.size, rng)) {
  const bool layerwise = options.tying == Tying::layerwise;
  const int64_t tables = layerwise ? 2 : options.hops + 1;
  for (int64_t i = 0; i < tables; ++i) {
    embeddings_.emplace_back(options.vocabulary, options.size, rng, stddev);
    if (options.slots > 0) times_.emplace_back(options.slots, options.size, rng, stddev);
  }
  if (!layerwise) return;
  question_ = std::make_unique<Embedding>(options.vocabulary, options.size, rng, stddev);
  h_ = std::make_unique<Linear>(options.size, options.size, rng, Linear::Options{.bias = false});
  h_->weight = normal_init(h_->weight.shape(), stddev, rng);
  w_ = std::make_unique<Linear>(options.size, options.vocabulary, rng, Linear::Options{.bias = false});
  w_->weight = normal_init(w_->weight.shape(), stddev, rng);
}

Answer MemoryNetwork::operator()(const Ids& facts, std::span<const int32_t> lengths, const Ids& question,
                                 const Pass& pass) const {
  check_facts("MemoryNetwork", "facts", facts, lengths);
  const int64_t slots = facts.shape()[1];
  check_words("MemoryNetwork", "question", question, facts.shape()[0]);
  if (options_.slots > 0 && slots > options_.slots) {
    fail("MemoryNetwork: {} facts, the temporal encoding has {}", slots, options_.slots);
  }
  const bool layerwise = options_.tying == Tying::layerwise;
  const Tensor weights = word_weights(facts, options_.words, options_.size);
  const Mask mask = Mask::of_lengths(lengths);
  // The facts under table i, told when they were: (B, S, D).
  const auto embed = [&](size_t i) {
    const Tensor x = bags(embeddings_[i], facts, weights);
    return times_.empty() ? x : x + times_[i](ages(lengths, slots));
  };
  Tensor u = bags(layerwise ? *question_ : embeddings_[0], question,
                  word_weights(question, options_.words, options_.size));  // (B, D)
  Tensor keys = embed(0), values = embed(1);
  TensorList looks;
  for (int64_t hop = 0; hop < options_.hops; ++hop) {
    if (hop > 0 && !layerwise) {
      keys = values;
      values = embed(static_cast<size_t>(hop) + 1);
    }
    const Memory memory = scorer_->prepare(keys, values, mask);
    const Attended seen = attend(asking(u, options_.attention), memory, *scorer_, *normalizer_, pass);
    u = (layerwise ? (*h_)(u) : u) + seen.context;
    looks.push_back(seen.weights);
  }
  return {layerwise ? (*w_)(u) : linear(u, embeddings_.back().weight), stack(looks, 1)};
}

void MemoryNetwork::visit(const Visitor& visitor) const {
  visitor("scorer", *scorer_);
  visitor("normalizer", *normalizer_);
  for (size_t i = 0; i < embeddings_.size(); ++i) visitor("embeddings." + std::to_string(i), embeddings_[i]);
  for (size_t i = 0; i < times_.size(); ++i) visitor("times." + std::to_string(i), times_[i]);
  if (!question_) return;
  visitor("question", *question_);
  visitor("H", *h_);
  visitor("W", *w_);
}

KeyValueNetwork::KeyValueNetwork(const Options& options, Rng& rng)
    : options_(checked("KeyValueNetwork", options)),
      scorer_(square_scorer(options.scorer, options.size, rng)),
      normalizer_(square_normalizer(options.normalizer, options.size, rng)),
      a_(options.vocabulary, options.size, rng, stddev) {
  if (!options.tied) b_ = std::make_unique<Embedding>(options.vocabulary, options.size, rng, stddev);
  for (int64_t hop = 0; hop < options.hops; ++hop) {
    r_.emplace_back(options.size, options.size, rng, Linear::Options{.bias = false});
  }
}

Answer KeyValueNetwork::operator()(const Ids& keys, const Ids& values, std::span<const int32_t> lengths,
                                   const Ids& question, const Ids& candidates, const Pass& pass) const {
  check_facts("KeyValueNetwork", "keys", keys, lengths);
  check_facts("KeyValueNetwork", "values", values, lengths);
  if (keys.shape()[1] != values.shape()[1]) {
    fail("KeyValueNetwork: {} keys for {} values", keys.shape()[1], values.shape()[1]);
  }
  check_words("KeyValueNetwork", "question", question, keys.shape()[0]);
  check_words("KeyValueNetwork", "candidates", candidates, 0);
  const auto embed = [&](const Embedding& table, const Ids& ids) {
    return bags(table, ids, word_weights(ids, MemoryNetwork::Words::bag, options_.size));
  };
  const Memory memory = scorer_->prepare(embed(a_, keys), embed(a_, values), Mask::of_lengths(lengths));
  Tensor q = embed(a_, question);  // (B, D)
  TensorList looks;
  for (const Linear& r : r_) {
    const Attended seen = attend(asking(q, options_.attention), memory, *scorer_, *normalizer_, pass);
    q = r(q + seen.context);
    looks.push_back(seen.weights);
  }
  const Tensor answers = embed(b_ ? *b_ : a_, candidates);  // (C, D)
  return {linear(q, answers), stack(looks, 1)};
}

void KeyValueNetwork::visit(const Visitor& visitor) const {
  visitor("scorer", *scorer_);
  visitor("normalizer", *normalizer_);
  visitor("A", a_);
  if (b_) visitor("B", *b_);
  for (size_t i = 0; i < r_.size(); ++i) visitor("R." + std::to_string(i), r_[i]);
}

}  // namespace heed::inline HEED_PRECISION
