#pragma once

#include <tuple>

#include "layers/positions/alibi.hpp"
#include "layers/positions/learned.hpp"
#include "layers/positions/none.hpp"
#include "layers/positions/relative.hpp"
#include "layers/positions/rotary.hpp"
#include "layers/positions/sinusoidal.hpp"

namespace heed::inline HEED_PRECISION {

// THE list of positions: what the examples offer and what the laws are tested over.
using AllPositions = std::tuple<NoPositions, Sinusoidal, Learned, Relative, Rotary, Alibi>;

}  // namespace heed::inline HEED_PRECISION
