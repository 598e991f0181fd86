#pragma once

#include "autograd/error.hpp"
#include "layers/init.hpp"
#include "layers/positions.hpp"

namespace heed::inline HEED_PRECISION {

// x_t + p_t with a learned p (Gehring et al. 2017, section 3.1; Vaswani et al. 2017, section 3.5): `weight`
// (longest, D). Knows no position beyond the longest sequence: place throws there. Init: N(0, 0.02^2), as
// GPT-2's.
struct Learned : Positions {
  static constexpr const char* name = "learned";
  static constexpr const char* formula = "x_t + p_t, p learned";
  static constexpr bool on_inputs = true;

  Learned(const PositionSizes& sizes, Rng& rng) {
    if (sizes.longest < 1) fail("learned positions: longest {} must be at least 1", sizes.longest);
    weight = normal_init({sizes.longest, sizes.size}, real(0.02), rng);
  }
  [[nodiscard]] Tensor place(const Tensor& x, int64_t first) const override {
    const int64_t end = first + x.size(1);
    if (end > weight.size(0)) fail("learned positions: {} tokens, but {} were learned", end, weight.size(0));
    return x + slice(weight, 0, first, end);
  }
  void visit(const Visitor& visitor) const override { visitor("weight", weight); }

  Tensor weight;
};

}  // namespace heed::inline HEED_PRECISION
