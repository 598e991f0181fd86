#pragma once

#include "autograd/error.hpp"
#include "layers/positions.hpp"

namespace heed::inline HEED_PRECISION {

// RoPE (Su et al. 2021, eq. 14 and 34): pairs of features of queries and keys are turned by angles that grow
// with the position, R_t q . R_s k = q . R_(s-t) k: scores depend on the distance alone. Any length. Throws
// unless the features of a head are even.
struct Rotary : Positions {
  static constexpr const char* name = "rotary";
  static constexpr const char* formula = "R_t q . R_s k, pairs turned by t / 10000^(2i/E)";

  Rotary(const PositionSizes& sizes, Rng& /*rng*/) {
    if (sizes.width % 2 != 0) fail("rotary positions: the {} features of a head are odd", sizes.width);
  }
  [[nodiscard]] Tensor turn(const Tensor& x, int64_t heads, int64_t first) const override {
    return rotary(x, heads, first);
  }
};

}  // namespace heed::inline HEED_PRECISION
