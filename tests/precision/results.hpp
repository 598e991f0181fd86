#pragma once

#include <string>
#include <vector>

namespace heed::tests {

// One op on fixed inputs: what it computed and the gradients that it sent back, one after the other.
struct Result {
  std::string op;
  std::vector<double> numbers;
};

// The same source, compiled once with each library; plain vectors are all that crosses between the two.
namespace f32 {
std::vector<Result> results();
}
namespace f64 {
std::vector<Result> results();
}

}  // namespace heed::tests
