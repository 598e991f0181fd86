#pragma once

#include <cmath>

#include "autograd/ops.hpp"
#include "layers/attention.hpp"
#include "layers/linear.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {

// score_ts = beta_t cos(q_t, k_s), cos(q, k) = q . k / (|q| |k|), beta_t = softplus(w . q_t + b) > 0 the
// sharpness (Graves et al. 2014, eq. 5 and 6, where the controller emits beta). `sharpness.weight` (1, Q),
// `.bias` (1). Keys are brought to length 1 once per memory; one of length 0 stays so and scores 0. Throws
// unless queries and keys have the same size. Init: w as Linear's, b = 1: an untrained beta is near 1.3.
struct Cosine : Scorer {
  static constexpr const char* name = "cosine";
  static constexpr const char* formula = "softplus(w . q + b) cos(q, k)";

  Cosine(const ScorerSizes& sizes, Rng& rng) : sharpness(sizes.query, 1, rng) {
    check_equal_sizes(name, sizes);
    sharpness.bias.mutable_data()[0] = 1;
  }

  [[nodiscard]] Tensor project(const Tensor& keys) const override { return unit(keys); }
  Tensor operator()(const Tensor& query, const Memory& memory) const override {
    return softplus(sharpness(query)) * matmul(unit(query), memory.keys, {.b = true});
  }
  [[nodiscard]] Inside inside(const Tensor& query, const Memory& memory) const override {
    const Tensor q = unit(query), cosine = matmul(q, memory.keys, {.b = true});
    const Tensor beta = softplus(sharpness(query));
    return {{"q / |q|", "", q},
            {"k_s / |k_s|", "once per memory", memory.keys},
            {"cos(q, k_s)", "q / |q| . k_s / |k_s|", cosine},
            {"beta", "softplus(w . q + b)", beta},
            {"score_s", "beta cos(q, k_s)", beta * cosine}};
  }
  void visit(const Visitor& visitor) const override { visitor("sharpness", sharpness); }

  Linear sharpness;

 private:
  // x / |x| over the last axis: rms_norm divides by |x| / sqrt(K).
  static Tensor unit(const Tensor& x) {
    return scale(rms_norm(x, {}, real(1e-20)), 1 / std::sqrt(static_cast<real>(x.size(-1))));
  }
};

}  // namespace heed::inline HEED_PRECISION
