#pragma once

#include <tuple>

#include "layers/normalizers/softmax.hpp"

namespace heed::inline HEED_PRECISION {

// THE list of normalizers: what the examples offer and what the laws of attention are tested over. A list of
// types, of which no value is made.
using AllNormalizers = std::tuple<Softmax>;

}  // namespace heed::inline HEED_PRECISION
