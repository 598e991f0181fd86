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
//   |numeric_derivative - dL/dx| <= 1e-9 max(1, max |dL/dx| of that input).
std::string gradcheck(const Function& f, const std::vector<Tensor>& inputs);

// The derivative at 0 of `at`, a number that depends on an offset, by a 4-point central difference:
//   (at(-2h) - 8 at(-h) + 8 at(h) - at(2h)) / 12h
template <class F>
double numeric_derivative(F at) {
  constexpr double h = 1e-3;
  return (at(-2 * h) - 8 * at(-h) + 8 * at(h) - at(2 * h)) / (12 * h);
}

// Evenly spaced values from low to high, shuffled: no ties, and, if (high - low) / size is not tiny, no two
// near each other.
Tensor spaced(Shape shape, double low, double high, uint64_t seed = 1);

// Values of magnitude 0.3 to 2 and both signs, away from the kinks and poles at 0.
Tensor away_from_zero(Shape shape, uint64_t seed = 1);

}  // namespace heed::tests
