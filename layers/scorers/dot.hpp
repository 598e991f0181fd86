#pragma once

#include <cmath>

#include "autograd/ops.hpp"
#include "layers/attention.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {

// score_ts = q_t . k_s (Luong et al. 2015, section 3.1, "dot"). No parameters. Throws unless queries and keys
// have the same size.
struct Dot : Scorer {
  static constexpr const char* name = "dot";
  static constexpr const char* formula = "q . k";

  Dot(const ScorerSizes& sizes, Rng& /*rng*/) : Dot(name, sizes) {}

  Tensor operator()(const Tensor& query, const Memory& memory) const override {
    return matmul(query, memory.keys, {.b = true});
  }
  [[nodiscard]] Inside inside(const Tensor& query, const Memory& memory) const override {
    const Tensor terms = query * memory.keys;
    return {{"q_i k_si", "", terms}, {"score_s", "their sum over i", sum(terms, -1)}};
  }

 protected:
  Dot(const char* who, const ScorerSizes& sizes) { check_equal_sizes(who, sizes); }
};

// score_ts = q_t . k_s / sqrt(K) (Vaswani et al. 2017, eq. 1): a dot product of K independent numbers of
// variance 1 has variance K, and large scores leave softmax without gradient. Throws as Dot.
struct ScaledDot : Dot {
  static constexpr const char* name = "scaled_dot";
  static constexpr const char* formula = "q . k / sqrt(K)";

  ScaledDot(const ScorerSizes& sizes, Rng& /*rng*/) : Dot(name, sizes) {}

  Tensor operator()(const Tensor& query, const Memory& memory) const override {
    return Dot::operator()(scaled(query), memory);
  }
  [[nodiscard]] Inside inside(const Tensor& query, const Memory& memory) const override {
    const Tensor q = scaled(query), terms = q * memory.keys;
    return {{"q / sqrt(K)", "", q},
            {"q_i k_si / sqrt(K)", "", terms},
            {"score_s", "their sum over i", sum(terms, -1)}};
  }

 private:
  static Tensor scaled(const Tensor& query) {
    return scale(query, 1 / std::sqrt(static_cast<real>(query.size(-1))));
  }
};

}  // namespace heed::inline HEED_PRECISION
