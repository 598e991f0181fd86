// Gradients through convolutions and what is built from them, against finite differences.
#include <doctest/doctest.h>

#include "layers/conv.hpp"
#include "layers/glu.hpp"
#include "tests/layers/check_module.hpp"
#include "tests/layers/halves.hpp"

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

// Every parameter becomes U(-1, 1): as they begin, their gradients are too small for a comparison.
void scatter(const Module& model) {
  Rng rng(2);
  for (NamedParameter& p : named_parameters(model))
    p.tensor.assign(random_tensor(p.tensor.shape(), rng).values());
}

TEST_CASE("gradients: encoder-decoders of two halves, every pair") {
  const Ids source({2, 3}, {4, 5, 4, 5, 0, 0});
  const Ids target({2, 3}, {1, 3, 4, 1, 4, 0});
  const std::vector<int32_t> lengths{3, 1};
  for_all_halves(
      {.source_vocabulary = 6, .target_vocabulary = 5, .embed = 2, .hidden = 4, .cell = Cell::lstm},
      [&](const EncoderDecoder& model) {
        scatter(model);
        CHECK(check_module(model, {}, [&](const std::vector<Tensor>&) {
                return model(source, lengths, target, {}).logits;
              }) == "");
      });
}

}  // namespace
}  // namespace heed::tests
