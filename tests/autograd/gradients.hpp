#pragma once

#include <doctest/doctest.h>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "tests/support/gradcheck.hpp"

namespace heed::tests {

// One gradcheck. `op` is the op's name in ops.hpp: a test of its own lists ops that no call names.
inline void check_gradient(const char* op, const std::vector<Tensor>& inputs, const Function& f) {
  const std::string difference = gradcheck(f, inputs);
  CHECK_MESSAGE(difference.empty(), op << ": " << difference);
}

}  // namespace heed::tests
