#pragma once

#include "layers/linear.hpp"
#include "layers/normalizers.hpp"

namespace heed::inline HEED_PRECISION {

// Softmax of the slots in [t - D, t + D] alone, t the number of the query, of those of `Moment::past` on: the
// source read at the target's pace (Luong et al. 2015, section 3.2, local-m). No parameters. A query whose
// window shows no slot gets weights 0. Throws when D < 0.
struct LocalM : Normalizer {
  static constexpr const char* name = "local_m";
  static constexpr const char* formula = "softmax over |s - t| <= D";
  static constexpr Laws laws{
      .permutation = false, .sum_to_one = false, .equal_share = false, .doubling = false, .positive = false};

  LocalM(const NormalizerSizes& sizes, Rng& rng);

  Weights operator()(const Tensor& scores, const Mask& mask, const Moment& moment) const override;
  [[nodiscard]] Inside inside(const Tensor& scores, const Moment& moment) const override;

  int64_t window;  // D
};

// Softmax of the slots in [p - D, p + D], times e^(-(s - p)^2 / (2 sigma^2)), sigma = D / 2, around a
// predicted position p = S sigmoid(v . tanh(W q)) (Luong et al. 2015, eq. 9 and 10, local-p). S counts the
// slots up to the last that the query may see, s from 0. The weights sum to less than 1. p learns through the
// Gaussian. W (A, Q) is `position.weight`, `v` (A); init: W Linear's, v U(-1/sqrt(A), 1/sqrt(A)). Throws
// unless D, the query's size and A are above 0, and when the moment has no query.
struct LocalP : Normalizer {
  static constexpr const char* name = "local_p";
  static constexpr const char* formula =
      "softmax over |s - p| <= D, e^(-2 (s - p)^2 / D^2), p = S sigmoid(v . tanh(W q))";
  static constexpr Laws laws{
      .permutation = false, .sum_to_one = false, .equal_share = false, .doubling = false, .positive = false};

  LocalP(const NormalizerSizes& sizes, Rng& rng);

  Weights operator()(const Tensor& scores, const Mask& mask, const Moment& moment) const override;
  [[nodiscard]] Inside inside(const Tensor& scores, const Moment& moment) const override;
  // (B, T, Q) -> p / S, (B, T, 1).
  [[nodiscard]] Tensor relative_position(const Tensor& query) const;
  void visit(const Visitor& visitor) const override;

  int64_t window;  // D
  Linear position;
  Tensor v;
};

}  // namespace heed::inline HEED_PRECISION
