// Gradients through memory networks, against finite differences: of every parameter.
#include <doctest/doctest.h>

#include "layers/models/memory_network.hpp"
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

}  // namespace
}  // namespace heed::tests
