#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "autograd/tensor.hpp"
#include "examples/support/command_line.hpp"
#include "examples/support/json.hpp"
#include "examples/support/progress.hpp"
#include "layers/module.hpp"

// How programs train whose models are no encoder-decoders with a Settings of their own.

namespace heed::examples {

struct FitSettings {
  int64_t steps = 2000, batch = 32;
  double lr = 5e-3;
  int64_t warmup = 50;  // steps; no option
  int64_t seed = 1, threads = 1;
  std::string json = {};
};
void add_fit_options(CommandLine& line, FitSettings& settings);
// After parsing: throws when --json cannot be written; applies --threads.
void apply(const FitSettings& settings);
// Into --json's file, under /settings.
void write_settings(Json& json, const FitSettings& settings);

// What a step found in this rank's share of a batch (share.hpp).
struct Found {
  Found(Tensor loss, double count = 1, double right = 0)
      : loss(std::move(loss)), count(count), right(right) {}
  Tensor loss;   // the mean over what is asked
  double count;  // how much that is
  double right;  // the share of it that is answered right, for `progress`
};

struct Fitted {
  double seconds = 0;
  std::vector<double> losses;  // of every step
};

// settings.steps steps of Adam, gradients clipped at norm 1, the learning rate rising for settings.warmup
// steps and falling to 0 in a straight line. `look` draws a batch and tells its loss; each step is told to
// `progress`, if there is one.
Fitted fit(const Module& model, const FitSettings& settings, const std::function<Found()>& look,
           Progress* progress = nullptr);

}  // namespace heed::examples
