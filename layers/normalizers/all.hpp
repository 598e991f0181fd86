#pragma once

#include <tuple>

#include "layers/normalizers/entmax.hpp"
#include "layers/normalizers/gumbel.hpp"
#include "layers/normalizers/local.hpp"
#include "layers/normalizers/monotonic.hpp"
#include "layers/normalizers/reinforce.hpp"
#include "layers/normalizers/softmax.hpp"
#include "layers/normalizers/sparsemax.hpp"
#include "layers/normalizers/straight_through.hpp"

namespace heed::inline HEED_PRECISION {

// THE list of normalizers: what the examples offer and what the laws of attention are tested over. A list of
// types, of which no value is made.
using AllNormalizers = std::tuple<Softmax, Sparsemax, Entmax15, Entmax, LocalM, LocalP, Monotonic,
                                  MonotonicHard, Reinforce, StraightThrough, Gumbel>;

}  // namespace heed::inline HEED_PRECISION
