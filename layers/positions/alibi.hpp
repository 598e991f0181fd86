#pragma once

#include <cmath>

#include "layers/positions.hpp"

namespace heed::inline HEED_PRECISION {

// Attention with linear biases (Press et al. 2022, section 3): score_ts - m_h |s - t|, m_h = 2^(-8 h / H) for
// the heads h = 1 .. H. No parameters, any length. (The paper looks back alone; here it serves encoders too.)
struct Alibi : Positions {
  static constexpr const char* name = "alibi";
  static constexpr const char* formula = "q . k - m_h |s - t|, m_h = 2^(-8h/H)";

  Alibi(const PositionSizes& sizes, Rng& /*rng*/) : slopes(Tensor::empty({sizes.heads})) {
    for (int64_t h = 0; h < sizes.heads; ++h) {
      const double share = static_cast<double>(h + 1) / static_cast<double>(sizes.heads);
      slopes.mutable_data()[h] = static_cast<real>(std::exp2(-8 * share));
    }
  }
  void relate(DotAttention& how) const override { how.slopes = slopes; }

  Tensor slopes;  // (H), constants
};

}  // namespace heed::inline HEED_PRECISION
