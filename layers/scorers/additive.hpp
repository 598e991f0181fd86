#pragma once

#include "autograd/ops.hpp"
#include "layers/attention.hpp"
#include "layers/init.hpp"
#include "layers/linear.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {

// score_ts = v . tanh(W q_t + U k_s): a feed-forward network with one hidden layer (Bahdanau et al. 2014,
// A.1.2). W (A, Q) is `query.weight`, U (A, K) `key.weight`, `v` (A). U k is computed once per memory.
// Init: W and U as Linear, v U(-1/sqrt(A), 1/sqrt(A)).
struct Additive : Scorer {
  static constexpr const char* name = "additive";
  static constexpr const char* formula = "v . tanh(W q + U k)";

  Additive(const ScorerSizes& sizes, Rng& rng)
      : query(sizes.query, sizes.hidden, rng, {.bias = false}),
        key(sizes.key, sizes.hidden, rng, {.bias = false}),
        v(fan_in_uniform({sizes.hidden}, sizes.hidden, rng)) {}

  [[nodiscard]] Tensor project(const Tensor& keys) const override { return key(keys); }
  Tensor operator()(const Tensor& q, const Memory& memory) const override {
    return additive_scores(query(q), memory.keys, v, memory.mask);
  }
  [[nodiscard]] Inside inside(const Tensor& q, const Memory& memory) const override {
    const Tensor of_query = query(q), hidden = tanh(of_query + memory.keys), terms = hidden * v;
    return {{"W q", "", of_query},
            {"U k_s", "once per memory", memory.keys},
            {"hidden_s", "tanh(W q + U k_s)", hidden},
            {"v_i hidden_si", "", terms},
            {"score_s", "their sum over i", sum(terms, -1)}};
  }
  void visit(const Visitor& visitor) const override {
    visitor("query", query);
    visitor("key", key);
    visitor("v", v);
  }

  Linear query, key;
  Tensor v;
};

}  // namespace heed::inline HEED_PRECISION
