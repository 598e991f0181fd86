#pragma once

// The number type of the whole library. heed is compiled twice from one source: `heed` with float and
// `heed_double` with double (-DHEED_DOUBLE). The inline namespace makes mixing the two a link error.

#ifdef HEED_DOUBLE
#define HEED_PRECISION f64
#else
#define HEED_PRECISION f32
#endif

namespace heed::inline HEED_PRECISION {

#ifdef HEED_DOUBLE
using real = double;
#else
using real = float;
#endif

}  // namespace heed::inline HEED_PRECISION
