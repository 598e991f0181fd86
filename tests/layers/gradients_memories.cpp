// Gradients through memory networks and language models, against finite differences: of every parameter.
#include <doctest/doctest.h>

#include "layers/models/memory_network.hpp"
#include "layers/models/recurrent_lm.hpp"
#include "tests/layers/check_module.hpp"

namespace heed::tests {
namespace {

TEST_CASE("gradients: memory networks, adjacent and layerwise, and the key-value network") {
  const Ids facts({2, 3, 2}, {1, 2, 3, 0, 2, 4, 4, 1, 2, 3, 0, 0});
  const Ids question({2, 1}, {3, 1});
  const std::vector<int32_t> lengths{3, 2};
  using Tying = MemoryNetwork::Tying;
  for (const Tying tying : {Tying::adjacent, Tying::layerwise}) {
    CAPTURE(static_cast<int>(tying));
    Rng rng(1);
    const MemoryNetwork model({.vocabulary = 5, .size = 3, .hops = 2, .slots = 4, .tying = tying}, rng);
    CHECK(check_module(model, {}, [&](const std::vector<Tensor>&) {
            return model(facts, lengths, question).logits;
          }) == "");
  }
  Rng rng(2);
  const KeyValueNetwork model({.vocabulary = 5, .size = 3, .hops = 2, .tied = false}, rng);
  const Ids values({2, 3, 1}, {2, 1, 4, 3, 2, 0}), candidates({2, 1}, {2, 4});
  CHECK(check_module(model, {}, [&](const std::vector<Tensor>&) {
          return model(facts, values, lengths, question, candidates).logits;
        }) == "");
}

TEST_CASE("gradients: intra-attention") {
  Rng rng(3);
  const IntraAttention layer({.input = 2, .hidden = 3}, rng);
  CHECK(check_module(layer, {random_tensor({2, 4, 2}, rng)}, [&](const std::vector<Tensor>& x) {
          const auto [output, weights] = layer(x[0]);
          return concat({output, weights}, 2);
        }) == "");
}

TEST_CASE("gradients: language models, whatever they look back at") {
  for (const LookBack look : {LookBack::nothing, LookBack::states, LookBack::outputs, LookBack::key_value,
                              LookBack::key_value_predict, LookBack::ngram, LookBack::intra}) {
    for (const int64_t window : {0, 2}) {
      CAPTURE(static_cast<int>(look));
      CAPTURE(window);
      Rng rng(4);
      const RecurrentLM model(
          {.vocabulary = 4, .look = look, .embed = 2, .hidden = 6, .window = window, .ngram = 3}, rng);
      const Ids tokens({2, 4}, {1, 2, 3, 1, 0, 2, 2, 1});
      CHECK(check_module(model, {}, [&](const std::vector<Tensor>&) { return model(tokens).logits; }) == "");
    }
  }
}

}  // namespace
}  // namespace heed::tests
