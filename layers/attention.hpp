#pragma once

#include "layers/memory.hpp"
#include "layers/module.hpp"

// The one idea of heed:
//   scores  = F(query, keys)            a Scorer: one score per key; it never knows how many keys there are
//   weights = normalize(scores, mask)   a Normalizer: non-negative, sum to 1
//   context = sum_s weights_s value_s   attend
// Letters: B batch, T queries, S slots, Q query features, K key features, D value features.

namespace heed::inline HEED_PRECISION {

// F. Keeps nothing between calls: what it computes once per memory lives in the Memory.
struct Scorer : Module {
  // keys (B, S, K), values (B, S, D) -> a Memory whose keys are projected, once for all queries.
  [[nodiscard]] Memory prepare(const Tensor& keys, const Tensor& values, const Mask& mask = {}) const {
    return {project(keys), values, mask};
  }
  // keys (B, S, K) -> (B, S, ...), what operator() wants in a Memory; by default the keys as they are.
  [[nodiscard]] virtual Tensor project(const Tensor& keys) const { return keys; }
  // query (B, T, Q) -> scores (B, T, S). Slots that the memory's mask hides may hold any finite score.
  virtual Tensor operator()(const Tensor& query, const Memory& memory) const = 0;
  void visit(const Visitor& /*visitor*/) const override {}  // by default: no parameters
};

// scores (B, T, S) -> weights (B, T, S). A hidden slot gets weight exactly 0 and gradient exactly 0; a row
// whose every slot is hidden gets weights 0. `pass` is for those that draw random numbers in training.
struct Normalizer : Module {
  virtual Tensor operator()(const Tensor& scores, const Mask& mask, const Pass& pass) const = 0;
  void visit(const Visitor& /*visitor*/) const override {}  // by default: no parameters
};

struct Attended {
  Tensor context;  // (B, T, D), or (B, D) for a query (B, Q)
  Tensor weights;  // (B, T, S), or (B, S)
};

// context_t = sum_s weights_ts value_s, weights = normalizer(scorer(query, memory), mask) (Bahdanau et al.
// 2014, eq. 5 and 6). query (B, T, Q), or (B, Q): one query per row. Throws when query and memory do not fit.
Attended attend(const Tensor& query, const Memory& memory, const Scorer& scorer, const Normalizer& normalizer,
                const Pass& pass = {});

}  // namespace heed::inline HEED_PRECISION
