#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "layers/memory.hpp"
#include "layers/module.hpp"

// The one idea of heed:
//   scores  = F(query, keys)            a Scorer: one score per key; it never knows how many keys there are
//   weights = normalize(scores, mask)   a Normalizer: non-negative, sum to 1
//   context = sum_s weights_s value_s   attend
// Letters: B batch, T queries, S slots, Q query features, K key features, D value features.

namespace heed::inline HEED_PRECISION {

// Which laws a mechanism keeps, evaluated without randomness. The tests and the program `laws` check those it
// keeps, and check that it breaks those it does not: a location scorer that ignored positions would be wrong.
struct Laws {
  bool permutation = true;  // permuting the memory permutes the weights
  bool sum_to_one = true;   // weights sum to 1 (a row without a visible slot aside); one slot gives its value
  bool equal_share = true;  // equal scores give 1/n
  bool shift = true;        // one number added to all scores changes nothing
  bool doubling = true;     // every slot twice: half the weight for each, the same context
  bool positive = true;     // every slot that may be seen gets a weight above 0
  bool any_number = true;   // the same parameters serve a memory of any length
};

// What a scorer or a normalizer computes inside, for who wants to see it: the steps in their order, each
// computed from those before, so that a gradient finds its way through them; last the result, in any shape.
// No model reads it; the program `explain` does, and a test keeps it equal to what operator() gives.
struct Inner {
  std::string name, formula;
  Tensor value;
};
using Inside = std::vector<Inner>;

// F. Keeps nothing between calls: what it computes once per memory lives in the Memory. One that breaks a law
// says so by a `laws` of its own; so does a Normalizer.
struct Scorer : Module {
  static constexpr Laws laws{};

  // keys (B, S, K), values (B, S, D) -> a Memory whose keys are projected, once for all queries.
  [[nodiscard]] Memory prepare(const Tensor& keys, const Tensor& values, const Mask& mask = {}) const {
    return {project(keys), values, mask};
  }
  // keys (B, S, K) -> (B, S, ...), what operator() wants in a Memory; by default the keys as they are.
  [[nodiscard]] virtual Tensor project(const Tensor& keys) const { return keys; }
  // query (B, T, Q) -> scores (B, T, S). Slots that the memory's mask hides may hold any finite score.
  virtual Tensor operator()(const Tensor& query, const Memory& memory) const = 0;
  // Whether a score depends on the slot's key, so that what is added to keys (Coverage) has an effect.
  [[nodiscard]] virtual bool reads_keys() const { return true; }
  // The same for one query (B, 1, Q), a step at a time; by default there are none to see.
  [[nodiscard]] virtual Inside inside(const Tensor& /*query*/, const Memory& /*memory*/) const { return {}; }
  void visit(const Visitor& /*visitor*/) const override {}  // by default: no parameters
};

// What earlier queries of the same rows saw of one memory, for mechanisms that go on from there (monotonic,
// local, coverage). It belongs to the caller, like a Memory: no layer keeps anything between calls.
struct Past {
  bool keep_coverage = false;  // whether to keep the sum too, for who reads it (Coverage)
  int64_t steps = 0;           // queries so far; before the first the others are undefined
  Tensor weights = {};         // (B, S), of the last one
  Tensor coverage = {};        // (B, S), the sum over all of them (See et al. 2017, eq. 10), if kept

  // (B, T, S), of the next T queries. Throws when S or B are not those of the queries before.
  void see(const Tensor& weights);
  // Throws `who: ...` when this is the past of another memory than one of (batch, slots).
  void check(const char* who, int64_t batch, int64_t slots) const;
  [[nodiscard]] Past select(std::span<const int32_t> rows) const;
};

// What a normalizer may ask for beside the scores.
struct Moment {
  Tensor query = {};  // (B, T, Q)
  Past past = {};     // of the queries before the first of these
  Pass pass = {};     // for those that draw random numbers in training
};

// What a normalizer makes of scores. All but the hard ones average by the probabilities themselves.
struct Weights {
  Weights(const Tensor& weights) : Weights(weights, weights) {}
  Weights(Tensor weights, Tensor probabilities)
      : weights(std::move(weights)), probabilities(std::move(probabilities)) {}

  Tensor weights;        // (B, T, S): those of the average
  Tensor probabilities;  // (B, T, S): those by which a hard normalizer chose its slot
};

// scores (B, T, S) -> weights (B, T, S). A hidden slot gets weight exactly 0 and gradient exactly 0; a row
// whose every slot is hidden gets weights 0.
struct Normalizer : Module {
  static constexpr Laws laws{};

  virtual Weights operator()(const Tensor& scores, const Mask& mask, const Moment& moment) const = 0;
  // The same for one query's scores (B, 1, S), none hidden, in evaluation, a step at a time, down to the
  // probabilities; by default there are none to see.
  [[nodiscard]] virtual Inside inside(const Tensor& /*scores*/, const Moment& /*moment*/) const { return {}; }
  void visit(const Visitor& /*visitor*/) const override {}  // by default: no parameters
};

struct Attended {
  Tensor context;        // (B, T, D), or (B, D) for a query (B, Q)
  Tensor weights;        // (B, T, S), or (B, S)
  Tensor probabilities;  // as the weights
};

// context_t = sum_s weights_ts value_s, weights = normalizer(scorer(query, memory), mask) (Bahdanau et al.
// 2014, eq. 5 and 6). query (B, T, Q), or (B, Q): one query per row. `past`, where given, is what the queries
// before saw, and sees these after. Throws when query, memory and past do not fit.
Attended attend(const Tensor& query, const Memory& memory, const Scorer& scorer, const Normalizer& normalizer,
                const Pass& pass = {}, Past* past = nullptr);

}  // namespace heed::inline HEED_PRECISION
