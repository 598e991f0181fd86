#include "layers/models/transformer_lm.hpp"

#include <doctest/doctest.h>

#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, T = 6, V = 9, D = 8;

TransformerLM::Options options(const char* positions = "learned") {
  return {
      .vocabulary = V, .size = D, .layers = 2, .heads = 2, .positions = positions, .longest = T, .reach = 2};
}

double deviation(const Tensor& x) {
  double squares = 0;
  for (const real v : x.values()) squares += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(squares / static_cast<double>(x.size()));
}

TEST_CASE(
    "language model of self-attention: embedding plus positions, causal blocks, a last norm, written out") {
  Rng rng(1);
  for (const bool tied : {true, false}) {
    TransformerLM::Options o = options();
    o.tied = tied;
    const TransformerLM model(o, rng);
    const Ids tokens = random_ids({B, T}, 0, V, rng);
    Tensor x = embedding(model.input.embedding.weight, tokens);
    Tensor positions;
    for (const NamedParameter& p : named_parameters(model))
      if (p.name == "positions.weight") positions = p.tensor;
    x = x + positions;
    for (const TransformerBlock& block : model.stack.layers) x = block(x, Mask().causal(), nullptr, {});
    x = (*model.stack.norm)(x);
    const Tensor& output = tied ? model.input.embedding.weight : model.output.weight;
    CHECK(close_all(model(tokens, {}), linear(x, output)));
  }
}

TEST_CASE("language model of self-attention: GPT-2's beginning, names and sizes") {
  Rng rng(2);
  const TransformerLM model({.vocabulary = 65, .bias = false}, rng);
  // nanoGPT's count for its CPU setting is 0.80M: positions (64, 128) are not in it.
  CHECK(parameter_count(model) - 64 * 128 == 65 * 128 + 4 * (2 * 128 + 12 * 128 * 128) + 128);
  const Names names = names_of(model);
  CHECK(names[0] == "embedding.weight");
  CHECK(names[1] == "positions.weight");
  CHECK(names[2] == "layers.0.self_attn.in_proj_weight");
  CHECK(names.back() == "norm.weight");
  const TransformerBlock& block = model.stack.layers[0];
  CHECK(std::abs(deviation(block.self_attn.in_proj_weight) - 0.02) < 5e-4);
  CHECK(std::abs(deviation(block.feed_forward.linear1.weight) - 0.02) < 5e-4);
  CHECK(std::abs(deviation(block.feed_forward.linear2.weight) - 0.02 / std::sqrt(8.0)) < 2e-4);
  CHECK(std::abs(deviation(block.self_attn.out_proj.weight) - 0.02 / std::sqrt(8.0)) < 2e-4);
}

TEST_CASE(
    "language model of self-attention: a prompt at once and token after token give what teacher forcing "
    "gives") {
  Rng rng(3);
  for (const KnownPositions& known : known_positions()) {
    CAPTURE(known.name);
    TransformerLM::Options o = options(known.name);
    o.kv_heads = 1;
    o.norm = NormKind::rms;
    o.activation = Activation::swiglu;
    const TransformerLM model(o, rng);
    const Ids tokens = random_ids({B, T}, 0, V, rng);
    const Tensor whole = model(tokens, {});  // (B, T, V)
    DecoderState state = model.start();
    std::vector<int32_t> prompt, next(B);
    for (int64_t b = 0; b < B; ++b)
      for (int64_t t = 0; t < 3; ++t) prompt.push_back(tokens[b * T + t]);
    CHECK(close_all(model.extend(state, Ids({B, 3}, prompt)).logits, select(whole, 1, 2)));
    for (int64_t t = 3; t < T; ++t) {
      for (int64_t b = 0; b < B; ++b) next[static_cast<size_t>(b)] = tokens[b * T + t];
      CHECK(close_all(model.step(state, Ids({B}, next)).logits, select(whole, 1, t)));
    }
    CHECK(state.steps == T);
  }
}

TEST_CASE("language model of self-attention: a prefix knows nothing of the rest, every parameter learns") {
  Rng rng(4);
  for (const KnownPositions& known : known_positions()) {
    CAPTURE(known.name);
    const TransformerLM model(options(known.name), rng);
    const Ids tokens = random_ids({1, T}, 0, V, rng);
    Ids changed = tokens;
    changed.values()[T - 1] = (tokens[T - 1] + 1) % V;
    const Tensor a = model(tokens, {}), b = model(changed, {});
    CHECK(close_all(slice(a, 1, 0, T - 1), slice(b, 1, 0, T - 1), 0));
    CHECK_FALSE(close_all(a, b));
    backward(probe(a));
    for (const NamedParameter& p : named_parameters(model)) {
      CAPTURE(p.name);
      REQUIRE(p.tensor.grad().defined());
      CHECK_FALSE(all_zero(p.tensor.grad()));
    }
  }
}

TEST_CASE("language model of self-attention: weights are those of the last block") {
  Rng rng(5);
  const TransformerLM model(options(), rng);
  Tensor weights;
  model(random_ids({B, T}, 0, V, rng), {}, &weights);
  CHECK(weights.shape() == Shape{B, 2, T, T});
  CHECK(close_all(sum(weights, -1), Tensor::full({B, 2, T}, 1)));
}

TEST_CASE("language model of self-attention: errors") {
  Rng rng(6);
  const TransformerLM model(options(), rng);
  CHECK(error_of([&] { model(Ids({1, T + 1}), {}); }) == "learned positions: 7 tokens, but 6 were learned");
  CHECK(error_of([&] {
          model(Ids({0, 1}), {});
        }) == "TransformerLM: tokens are (0, 1), wants (B, T) with both at least 1");
  CHECK(error_of([&] { TransformerLM({.vocabulary = V, .layers = 0}, rng); }) ==
        "TransformerBlocks: size 128, layers 0, inner 0: wants at least 1, 1, 0");
}

}  // namespace
}  // namespace heed::tests
