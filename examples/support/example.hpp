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
};

}  // namespace heed::examples
