#pragma once

#include "autograd/ops.hpp"
#include "layers/attention.hpp"
#include "layers/init.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {

// score_ts = v . tanh(W [q_t; k_s]) (Luong et al. 2015, section 3.1, "concat"). `weight` W (A, Q + K), `v`
// (A). Split into the columns of q and those of k it is Additive, with one matrix for both: W k is computed
// once per memory. Init: W U(-1/sqrt(Q + K), 1/sqrt(Q + K)), v U(-1/sqrt(A), 1/sqrt(A)).
struct Concat : Scorer {
  static constexpr const char* name = "concat";
  static constexpr const char* formula = "v . tanh(W [q; k])";

  Concat(const ScorerSizes& sizes, Rng& rng)
      : query_size(sizes.query),
        weight(fan_in_uniform({sizes.hidden, sizes.query + sizes.key}, sizes.query + sizes.key, rng)),
        v(fan_in_uniform({sizes.hidden}, sizes.hidden, rng)) {}

  [[nodiscard]] Tensor project(const Tensor& keys) const override {
    return linear(keys, slice(weight, 1, query_size, weight.size(1)));
  }
  Tensor operator()(const Tensor& query, const Memory& memory) const override {
    return additive_scores(of_query(query), memory.keys, v, memory.mask);
  }
  [[nodiscard]] Inside inside(const Tensor& query, const Memory& memory) const override {
    const Tensor q = of_query(query), hidden = tanh(q + memory.keys), terms = hidden * v;
    return {{"W_q q", "the columns of W for the query", q},
            {"W_k k_s", "those for a key, once per memory", memory.keys},
            {"hidden_s", "tanh(W_q q + W_k k_s)", hidden},
            {"v_i hidden_si", "", terms},
            {"score_s", "their sum over i", sum(terms, -1)}};
  }
  void visit(const Visitor& visitor) const override {
    visitor("weight", weight);
    visitor("v", v);
  }

  int64_t query_size;
  Tensor weight, v;

 private:
  [[nodiscard]] Tensor of_query(const Tensor& query) const {
    return linear(query, slice(weight, 1, 0, query_size));
  }
};

// score_ts = w . [q_t; k_s]: "concat" as another printing of the same paper has it, without v and tanh. It is
// w_q . q_t + w_k . k_s, and a softmax does not see what all slots share: the query drops out, every query of
// a row looks at the same slots. `weight` (1, Q + K). Init: U(-1/sqrt(Q + K), 1/sqrt(Q + K)).
struct ConcatLinear : Scorer {
  static constexpr const char* name = "concat_linear";
  static constexpr const char* formula = "w . [q; k]";

  ConcatLinear(const ScorerSizes& sizes, Rng& rng)
      : query_size(sizes.query),
        weight(fan_in_uniform({1, sizes.query + sizes.key}, sizes.query + sizes.key, rng)) {}

  [[nodiscard]] Tensor project(const Tensor& keys) const override {  // w_k . k_s: (B, S, 1)
    return linear(keys, slice(weight, 1, query_size, weight.size(1)));
  }
  Tensor operator()(const Tensor& query, const Memory& memory) const override {
    return of_query(query) + transpose(memory.keys);  // (B, T, S)
  }
  [[nodiscard]] Inside inside(const Tensor& query, const Memory& memory) const override {
    const Tensor q = of_query(query);
    return {{"w_q . q", "the same for every slot: softmax does not see it", q},
            {"w_k . k_s", "once per memory", memory.keys},
            {"score_s", "w_q . q + w_k . k_s", q + memory.keys}};
  }
  void visit(const Visitor& visitor) const override { visitor("weight", weight); }

  int64_t query_size;
  Tensor weight;

 private:
  [[nodiscard]] Tensor of_query(const Tensor& query) const {  // (B, T, 1)
    return linear(query, slice(weight, 1, 0, query_size));
  }
};

}  // namespace heed::inline HEED_PRECISION
