#pragma once

#include "layers/positions.hpp"

namespace heed::inline HEED_PRECISION {

// The sinusoidal encoding of the positions first .. first + count - 1: (count, D), a constant to add to
// embeddings (Vaswani et al. 2017, section 3.5):
//   p(t, 2i) = sin(t / 10000^(2i/D)), p(t, 2i + 1) = cos(t / 10000^(2i/D))
// Any length; an odd D leaves out the last cosine. Throws when an argument is below its least value.
Tensor sinusoidal_positions(int64_t count, int64_t size, int64_t first = 0);

// x_t + p_t.
struct Sinusoidal : Positions {
  static constexpr const char* name = "sinusoidal";
  static constexpr const char* formula = "x_t + (sin, cos)(t / 10000^(2i/D))";
  static constexpr bool on_inputs = true;

  Sinusoidal(const PositionSizes& /*sizes*/, Rng& /*rng*/) {}
  [[nodiscard]] Tensor place(const Tensor& x, int64_t first) const override {
    return x + sinusoidal_positions(x.size(1), x.size(2), first);
  }
};

}  // namespace heed::inline HEED_PRECISION
