#pragma once

#include "layers/positions.hpp"

namespace heed::inline HEED_PRECISION {

// Nothing: the tokens are a set. (Under a causal mask a block of attention still tells first from later
// ones.)
struct NoPositions : Positions {
  static constexpr const char* name = "none";
  static constexpr const char* formula = "x_t";

  NoPositions(const PositionSizes& /*sizes*/, Rng& /*rng*/) {}
};

}  // namespace heed::inline HEED_PRECISION
