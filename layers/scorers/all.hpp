#pragma once

#include <tuple>

#include "layers/scorers/additive.hpp"
#include "layers/scorers/bilinear.hpp"
#include "layers/scorers/concat.hpp"
#include "layers/scorers/cosine.hpp"
#include "layers/scorers/dot.hpp"
#include "layers/scorers/location.hpp"

namespace heed::inline HEED_PRECISION {

// THE list of scorers: what the examples offer and what the laws of attention are tested over. A list of
// types, of which no value is made.
using AllScorers = std::tuple<Additive, Dot, ScaledDot, Bilinear, Concat, ConcatLinear, Cosine, Location>;

}  // namespace heed::inline HEED_PRECISION
