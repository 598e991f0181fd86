// Gradients through convolutions and what is built from them, against finite differences.
#include <doctest/doctest.h>

#include "layers/conv.hpp"
#include "layers/conv_stack.hpp"
#include "layers/glu.hpp"
#include "layers/linear_attention.hpp"
#include "layers/models/tagger.hpp"
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

// Every parameter becomes U(-size, size): as they begin, their gradients are too small for a comparison.
void scatter(const Module& model, real size = 1) {
  Rng rng(2);
  for (NamedParameter& p : named_parameters(model))
    p.tensor.assign(scale(random_tensor(p.tensor.shape(), rng), size).values());
}

TEST_CASE("gradients: encoder-decoders of two halves, every pair") {
  const Ids source({2, 3}, {4, 5, 4, 5, 0, 0});
  const Ids target({2, 3}, {1, 3, 4, 1, 4, 0});
  const std::vector<int32_t> lengths{3, 1};
  for_all_halves(
      {.source_vocabulary = 6, .target_vocabulary = 5, .embed = 2, .hidden = 4, .cell = Cell::lstm},
      [&](const EncoderDecoder& model) {
        scatter(model, real(0.7));  // larger, third derivatives would show in the differences
        CHECK(check_module(model, {}, [&](const std::vector<Tensor>&) {
                return model(source, lengths, target, {}).logits;
              }) == "");
      });
}

TEST_CASE("gradients: a tagger of dilated convolutions") {
  Rng rng(3);
  const Tagger tagger(
      5, 2, std::make_unique<ConvStack>(ConvStack::Options{.size = 2, .width = 2, .dilations = {1, 2}}, rng),
      rng);
  scatter(tagger);
  const Ids tokens({2, 4}, {4, 3, 4, 1, 2, 4, 0, 0});
  CHECK(check_module(tagger, {}, [&](const std::vector<Tensor>&) {
          return tagger(tokens, std::vector<int32_t>{4, 2}, {});
        }) == "");
}

TEST_CASE("gradients: linear attention, all at once and step by step") {
  Rng rng(4);
  const std::vector<Tensor> inputs{random_tensor({2, 3, 2}, rng), random_tensor({2, 3, 2}, rng),
                                   random_tensor({2, 3, 3}, rng)};
  CHECK(gradcheck([](const std::vector<Tensor>& x) { return linear_attention(x[0], x[1], x[2]); }, inputs) ==
        "");
  CHECK(gradcheck(
            [](const std::vector<Tensor>& x) {
              LinearAttentionState state = start_linear_attention(2, 2, 3);
              TensorList y;
              for (int64_t t = 0; t < 3; ++t) {
                const auto at = [&](size_t i) { return select(x[i], 1, t); };
                y.push_back(linear_attention_step(state, at(0), at(1), at(2)));
              }
              return stack(y, 1);
            },
            inputs) == "");
}

}  // namespace
}  // namespace heed::tests
