#pragma once

#include <string>
#include <vector>

#include "examples/support/settings.hpp"
#include "examples/support/source_gradients.hpp"

// What the program why measures of one model, and how it shows two of them side by side.

namespace heed::examples {

// A recurrent encoder-decoder trained on sequences of 3 to `longest` symbols, examined at six lengths, the
// multiples of longest / 6.
struct Bottleneck {
  struct Options {
    std::string task = "reverse";
    int64_t longest = 30;
    int64_t tests = 200;  // unseen sequences of each length
  };
  // Trains by these settings. All is drawn from their seed: the models of one seed see the same data.
  Bottleneck(const Options& options, const Settings& settings);

  Settings settings;
  int64_t parameters = 0;
  double seconds = 0;  // of training
  std::vector<int64_t> lengths;
  // By length: the share of sequences that are exactly right, and gradients, over 50 of them, before training
  // and after.
  std::vector<double> accuracy;
  std::vector<SourceGradients> untrained, trained;
};

// Prints accuracies, gradients and a conclusion; writes --json. Returns the exit status: 0 if at the greatest
// length attention gets at least 95% right and the fixed context at most half of it, else 2.
int report(const Bottleneck::Options& options, const Bottleneck& with, const Bottleneck& without);

}  // namespace heed::examples
