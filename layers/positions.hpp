#pragma once

#include "autograd/tensor.hpp"

namespace heed::inline HEED_PRECISION {

// The sinusoidal encoding of the positions first .. first + count - 1: (count, D), a constant to add to
// embeddings (Vaswani et al. 2017, section 3.5):
//   p(t, 2i) = sin(t / 10000^(2i/D)), p(t, 2i + 1) = cos(t / 10000^(2i/D))
// Any length; an odd D leaves out the last cosine. Throws when an argument is below its least value.
Tensor sinusoidal_positions(int64_t count, int64_t size, int64_t first = 0);

}  // namespace heed::inline HEED_PRECISION
