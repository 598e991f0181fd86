#pragma once

#include <string>
#include <vector>

#include "layers/attention.hpp"

namespace heed::examples {

// One named group of numbers of a computation.
struct Named {
  std::string name;
  std::string formula;
  Tensor value;
};

// What a scorer computes between a query (1, 1, Q) with raw keys (1, S, K) and its scores, one step a line,
// as its header writes it: the fused ops taken apart. Empty for one that it does not know.
std::vector<Named> inside(const Scorer& scorer, const Tensor& query, const Tensor& keys);

}  // namespace heed::examples
