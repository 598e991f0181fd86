#pragma once

#include <vector>

#include "autograd/tensor.hpp"

namespace heed::inline HEED_PRECISION {

// Scales all gradients by one factor so that their joint Euclidean norm is at most `max_norm` (Pascanu et al.
// 2013), as torch.nn.utils.clip_grad_norm_: the factor is min(1, max_norm / (norm + 1e-6)). Returns the norm
// before. Parameters without a gradient are skipped, repeated ones count once. Throws unless max_norm > 0.
double clip_grad_norm(const TensorList& parameters, double max_norm);

// Confines each element of each gradient to [-limit, limit]; NaN stays NaN. Throws unless limit > 0.
void clip_grad_value(const TensorList& parameters, double limit);

}  // namespace heed::inline HEED_PRECISION
