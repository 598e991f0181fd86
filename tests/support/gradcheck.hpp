#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "autograd/tensor.hpp"

namespace heed::tests {

// Any function of tensors, built anew at each call.
using Function = std::function<Tensor(const std::vector<Tensor>&)>;

// "" when the gradients of f agree with 4-point central differences, otherwise where they differ first.
//
// The objective is sum_i c_i y_i with fixed random c: a plain sum would hide, for one, a softmax whose
// backward is off by a factor. For every element of every input, in double with step h = 1e-3:
//   |(f(x - 2h) - 8 f(x - h) + 8 f(x + h) - f(x + 2h)) / 12h - dL/dx| <= 1e-9 max(1, max |dL/dx| of that
//   input).
std::string gradcheck(const Function& f, const std::vector<Tensor>& inputs);

// Evenly spaced values from low to high, shuffled: no ties, and, if (high - low) / size is not tiny, no two
// near each other.
Tensor spaced(Shape shape, double low, double high, uint64_t seed = 1);

// Values of magnitude 0.3 to 2 and both signs, away from the kinks and poles at 0.
Tensor away_from_zero(Shape shape, uint64_t seed = 1);

}  // namespace heed::tests
