#pragma once

#include <cstdint>
#include <vector>

#include "examples/support/example.hpp"
#include "layers/models/recurrent.hpp"

namespace heed::examples {

// How much the loss of each target symbol, loss_t = -log p(y_t | those before it, source), feels each
// embedded source symbol x_s. Means over examples of n source and n target symbols.
struct SourceGradients {
  int64_t n = 0;
  std::vector<double> norms;  // (n, n) row by row: |d loss_t / d x_s|
  std::vector<double> total;  // (n): |d (sum over all t, the end too, of loss_t) / d x_s|

  // |d loss_t / d x_s| for s = 0 .. n-1, in shares of their sum (0 where that is 0).
  [[nodiscard]] std::vector<double> shares(int64_t t) const;
};

// Throws unless there is an example and each has as many symbols, source and target, as the first.
SourceGradients source_gradients(const RecurrentSeq2Seq& model, const std::vector<Example>& examples);

}  // namespace heed::examples
