// Encoder-only models on self-attention; on convolutions: conv_models.cpp.

#include "layers/models/tagger.hpp"

#include <doctest/doctest.h>

#include "layers/models/tokens.hpp"
#include "layers/models/transformer.hpp"
#include "layers/self_attention.hpp"
#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, T = 5, V = 8, D = 4;
const std::vector<int32_t> lengths{5, 3};

std::unique_ptr<SelfAttention> make_stack(const char* positions, bool causal) {
  Rng rng(1);
  return std::make_unique<SelfAttention>(
      SelfAttention::Options{.size = D,
                             .layers = 2,
                             .causal = causal,
                             .longest = T,
                             .block = {.heads = 2, .positions = positions, .reach = 2}},
      rng);
}

Ids tokens() { return {{B, T}, {4, 5, 6, 7, 4, 7, 5, 4, tokens::pad, tokens::pad}}; }

TEST_CASE("self-attention as a stack: positions, blocks, a last norm, over all slots or the past") {
  Rng rng(2);
  const Tensor x = random_tensor({B, T, D}, rng);
  const Mask mask = Mask::of_lengths(lengths);
  for (const KnownPositions& known : known_positions())
    for (const bool causal : {true, false}) {
      CAPTURE(known.name);
      const auto stack = make_stack(known.name, causal);
      CHECK((stack->positions != nullptr) == known.on_inputs);
      Tensor y = known.on_inputs ? stack->positions->place(x, 0) : x;
      for (const TransformerBlock& block : stack->stack.layers)
        y = block(y, causal ? mask.causal() : mask, nullptr, {});
      CHECK(close_all((*stack)(x, mask, {}), (*stack->stack.norm)(y)));
    }
}

TEST_CASE("tagger and classifier on self-attention: a batch is each row alone") {
  for (const KnownPositions& known : known_positions()) {
    CAPTURE(known.name);
    Rng rng(3);
    const Tagger tagger(V, 3, make_stack(known.name, false), rng);
    const Classifier classifier(V, 3, make_stack(known.name, false), rng);
    const Tensor tags = tagger(tokens(), lengths, {}), classes = classifier(tokens(), lengths, {});
    CHECK(tags.shape() == Shape{B, T, 3});
    CHECK(classes.shape() == Shape{B, 3});
    const Ids alone({1, 3}, {7, 5, 4});
    CHECK(close_all(tagger(alone, std::vector<int32_t>{3}, {}), slice(slice(tags, 0, 1, 2), 1, 0, 3)));
    CHECK(close_all(classifier(alone, std::vector<int32_t>{3}, {}), slice(classes, 0, 1, 2)));
  }
}

TEST_CASE("classifier: embedding, stack, the mean over the tokens that there are, linear map") {
  Rng rng(4);
  const Classifier model(V, 3, make_stack("rotary", false), rng);
  const Tensor states =
      (*model.stack)(embedding(model.embedding.weight, tokens()), Mask::of_lengths(lengths), {});
  const Tensor first = mean(select(states, 0, 0), 0), second = mean(slice(select(states, 0, 1), 0, 0, 3), 0);
  CHECK(close_all(model(tokens(), lengths, {}), model.output(stack({first, second}, 0))));
  CHECK(error_of([&] { Classifier(V, 3, nullptr, rng); }) == "Classifier: wants a stack");
}

TEST_CASE("transformer decoder: a memory of other features comes by a bridge, keys and values apart") {
  Rng rng(5);
  const TransformerOptions options{.target_vocabulary = V, .size = D, .memory = 6, .layers = 1, .heads = 2};
  const TransformerDecoder decoder(options, rng);
  TransformerOptions plain = options;
  plain.memory = 0;
  const TransformerDecoder same(plain, rng);
  for (const NamedParameter& p : named_parameters(same))
    for (const NamedParameter& q : named_parameters(decoder))
      if (p.name == q.name) Tensor(p.tensor).assign(q.tensor.values());
  const Tensor keys = random_tensor({B, 3, 6}, rng), values = random_tensor({B, 3, 6}, rng);
  const Mask mask = Mask::of_lengths({3, 2});
  const Memory mapped{(*decoder.bridge)(keys), (*decoder.bridge)(values), mask};
  const Memory raw{keys, values, mask};
  const Ids target = random_ids({B, 4}, 4, V, rng);
  const Tensor whole = decoder(raw, target, {}).logits;
  CHECK(close_all(whole, same(mapped, target, {}).logits));
  CHECK_FALSE(close_all(whole, decoder({keys, keys, mask}, target, {}).logits));
  DecoderState state = decoder.start(raw);
  for (int64_t t = 0; t < 4; ++t) {
    const Ids next({B}, {target[t], target[4 + t]});
    CHECK(close_all(decoder.step(state, next).logits, select(whole, 1, t)));
  }
}

}  // namespace
}  // namespace heed::tests
