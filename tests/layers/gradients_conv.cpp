// Gradients through convolutions and what is built from them, against finite differences.
#include <doctest/doctest.h>

#include "layers/conv.hpp"
#include "layers/glu.hpp"
#include "tests/layers/check_module.hpp"

namespace heed::tests {
namespace {

TEST_CASE("gradients: gated convolutions, causal and same, with hidden slots") {
  for (const Padding padding : {Padding::causal, Padding::same}) {
    CAPTURE(static_cast<int>(padding));
    Rng rng(1);
    const Conv1d conv(2, 4, {.width = 3, .padding = padding, .dilation = 2}, rng);
    CHECK(check_module(conv, {random_tensor({2, 5, 2}, rng)}, [&](const std::vector<Tensor>& x) {
            return glu(conv(hide_slots(x[0], Mask::of_lengths({5, 3}))));
          }) == "");
  }
}

}  // namespace
}  // namespace heed::tests
