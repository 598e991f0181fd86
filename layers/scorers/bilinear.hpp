#pragma once

#include "autograd/ops.hpp"
#include "layers/attention.hpp"
#include "layers/linear.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {

// score_ts = q_t W k_s (Luong et al. 2015, section 3.1, "general"). W (Q, K) is `key.weight`; W k is computed
// once per memory. Init: Linear's.
struct Bilinear : Scorer {
  static constexpr const char* name = "bilinear";
  static constexpr const char* formula = "q . W k";

  Bilinear(const ScorerSizes& sizes, Rng& rng) : key(sizes.key, sizes.query, rng, {.bias = false}) {}

  [[nodiscard]] Tensor project(const Tensor& keys) const override { return key(keys); }
  Tensor operator()(const Tensor& query, const Memory& memory) const override {
    return matmul(query, memory.keys, {.b = true});
  }
  [[nodiscard]] Inside inside(const Tensor& query, const Memory& memory) const override {
    const Tensor terms = query * memory.keys;
    return {{"W k_s", "once per memory", memory.keys},
            {"q_i (W k_s)_i", "", terms},
            {"score_s", "their sum over i", sum(terms, -1)}};
  }
  void visit(const Visitor& visitor) const override { visitor("key", key); }

  Linear key;
};

}  // namespace heed::inline HEED_PRECISION
