#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "autograd/tensor.hpp"
#include "examples/support/command_line.hpp"
#include "layers/module.hpp"

// How programs train that compare several small models in one table, on data drawn as it is needed.

namespace heed::examples {

struct FitSettings {
  int64_t steps = 2000, batch = 32;
  double lr = 5e-3;
  int64_t seed = 1;
  std::string json = {};
};
void add_fit_options(CommandLine& line, FitSettings& settings);
// After parsing: throws when --json cannot be written; one thread, which is fastest for models of this size.
void apply(const FitSettings& settings);

// settings.steps steps of Adam, gradients clipped at norm 1, the learning rate rising for 50 steps and
// falling to 0 in a straight line. `loss` draws a batch and gives its loss. Returns the seconds that it took.
double fit(const Module& model, const FitSettings& settings, const std::function<Tensor()>& loss);

}  // namespace heed::examples
