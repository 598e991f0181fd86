#pragma once

#include "layers/normalizers.hpp"

namespace heed::inline HEED_PRECISION {

// The query walks through the slots from where the last one stopped, stops at slot s with probability p_ts =
// sigmoid(score_ts + r), and never turns back; the weights are the probabilities to stop (Raffel et al. 2017,
// eq. 9). The first query begins at the first slot; those before, where there are any, are in `Moment::past`.
// The weights sum to 1 less the probability to run past the end. A hidden slot is passed by. r (1) is
// learned; init -4, so that an untrained walk does not end at once. In training a standard normal number is
// added before the sigmoid, which teaches p to be near 0 or 1 (section 2.5).
struct Monotonic : Normalizer {
  static constexpr const char* name = "monotonic";
  static constexpr const char* formula =
      "p_s c_s, c_s = from_s + (1 - p_(s-1)) c_(s-1), p = sigmoid(score + r)";
  static constexpr Laws laws{
      .permutation = false, .sum_to_one = false, .equal_share = false, .shift = false, .doubling = false};

  static constexpr bool walks = true;

  Monotonic(const NormalizerSizes& sizes, Rng& rng);

  Weights operator()(const Tensor& scores, const Mask& mask, const Moment& moment) const override;
  [[nodiscard]] Inside inside(const Tensor& scores, const Moment& moment) const override;
  void visit(const Visitor& visitor) const override { visitor("r", r); }

  Tensor r;
  bool hard = false;  // in evaluation
};

// Trained as Monotonic; in evaluation all weight is on the first slot, from the last choice on, with p > 0.5,
// and a query that finds none has weights 0, as all after it (Raffel et al. 2017, section 2.2). Then the
// weights have no gradient; the probabilities are Monotonic's, from the same past.
struct MonotonicHard : Monotonic {
  static constexpr const char* name = "monotonic_hard";
  static constexpr const char* formula = "the first slot with sigmoid(score + r) > 1/2; trained as monotonic";

  static constexpr Laws laws{.permutation = false,
                             .sum_to_one = false,
                             .equal_share = false,
                             .shift = false,
                             .doubling = false,
                             .positive = false};

  MonotonicHard(const NormalizerSizes& sizes, Rng& rng) : Monotonic(sizes, rng) { hard = true; }
};

}  // namespace heed::inline HEED_PRECISION
