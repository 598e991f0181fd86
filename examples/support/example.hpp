#pragma once

#include <cstdint>
#include <vector>

namespace heed::examples {

using Tokens = std::vector<int32_t>;

// One pair to learn from, as numbers of a vocabulary, without begin and end.
struct Example {
  Tokens source;
  Tokens target;
  Tokens gold;  // the source position that each target symbol comes from; empty when nobody knows
  // What answers are compared with, where it is not the target: words that a model does not have are numbers
  // beyond its vocabulary, which no answer holds.
  Tokens reference = {};
};

}  // namespace heed::examples
