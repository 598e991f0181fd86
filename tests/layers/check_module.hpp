#pragma once

#include <string>
#include <vector>

#include "tests/layers/common.hpp"
#include "tests/support/gradcheck.hpp"

namespace heed::tests {

// Gradcheck of f(inputs), and by the same formula of every parameter of the module, which f reaches by
// itself: the numbers are changed where they are.
inline std::string check_module(const Module& module, const std::vector<Tensor>& inputs, const Function& f) {
  if (!inputs.empty()) {
    std::string found = gradcheck(f, inputs);
    if (!found.empty()) return "input: " + found;
  }
  for (NamedParameter& p : named_parameters(module)) {
    const Tensor before = p.tensor.clone();
    const auto loss = [&] { return probe(f(inputs)); };
    zero_grad(module);
    backward(loss());
    const Tensor analytic = p.tensor.grad().clone();
    double largest = 1;
    for (const real g : analytic.values()) largest = std::max(largest, std::abs(static_cast<double>(g)));
    const NoGrad no_grad;
    for (int64_t i = 0; i < before.size(); ++i) {
      const double numeric = numeric_derivative([&](double offset) {
        p.tensor.mutable_data()[i] = before.data()[i] + static_cast<real>(offset);
        return static_cast<double>(loss().item());
      });
      p.tensor.mutable_data()[i] = before.data()[i];
      const double difference = std::abs(numeric - static_cast<double>(analytic.data()[i]));
      if (!(difference <= 1e-9 * largest)) {
        return p.name + "[" + std::to_string(i) + "] differs by " + std::to_string(difference);
      }
    }
  }
  return "";
}

}  // namespace heed::tests
