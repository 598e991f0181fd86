#pragma once

#include "autograd/ops.hpp"
#include "layers/attention.hpp"

namespace heed::inline HEED_PRECISION {

// weights_s = e^score_s / sum_r e^score_r over the slots that the mask shows (Bahdanau et al. 2014, eq. 6).
// No parameters.
struct Softmax : Normalizer {
  static constexpr const char* name = "softmax";
  static constexpr const char* formula = "e^score / sum e^score";

  Tensor operator()(const Tensor& scores, const Mask& mask, const Pass& /*pass*/) const override {
    return softmax(scores, mask);
  }
};

}  // namespace heed::inline HEED_PRECISION
