#pragma once

#include "autograd/error.hpp"
#include "layers/init.hpp"
#include "layers/positions.hpp"

namespace heed::inline HEED_PRECISION {

// Learned vectors for the distance r = clip(s - t, -R, R), added to keys and to values (Shaw et al. 2018, eq.
// 3 to 5): score_ts = q_t . (k_s + a_r) / sqrt(E), context_t = sum_s weight_ts (v_s + b_r). `keys` a and
// `values` b are (2R + 1, E); one of each for all heads, and for each self-attention its own. Init: Xavier
// uniform.
struct Relative : Positions {
  static constexpr const char* name = "relative";
  static constexpr const char* formula = "q_t . (k_s + a_(s-t)), v_s + b_(s-t)";

  Relative(const PositionSizes& sizes, Rng& rng) {
    if (sizes.reach < 1) fail("relative positions: reach {} must be at least 1", sizes.reach);
    keys = xavier_uniform({2 * sizes.reach + 1, sizes.width}, rng);
    values = xavier_uniform({2 * sizes.reach + 1, sizes.width}, rng);
  }
  void relate(DotAttention& how) const override {
    how.key_offsets = keys;
    how.value_offsets = values;
  }
  void visit(const Visitor& visitor) const override {
    visitor("keys", keys);
    visitor("values", values);
  }

  Tensor keys, values;
};

}  // namespace heed::inline HEED_PRECISION
