#include "layers/transformer_block.hpp"

#include <doctest/doctest.h>

#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, T = 5, S = 4, D = 6;

TransformerBlock::Options options(bool pre_norm, bool source) {
  return {.heads = 2, .inner = 9, .activation = Activation::gelu, .pre_norm = pre_norm, .source = source};
}

TEST_CASE("block: torch's names") {
  Rng rng(1);
  const Names encoder{"self_attn.in_proj_weight",
                      "self_attn.in_proj_bias",
                      "self_attn.out_proj.weight",
                      "self_attn.out_proj.bias",
                      "linear1.weight",
                      "linear1.bias",
                      "linear2.weight",
                      "linear2.bias",
                      "norm1.weight",
                      "norm1.bias",
                      "norm2.weight",
                      "norm2.bias"};
  CHECK(names_of(TransformerBlock(D, options(true, false), rng)) == encoder);
  const Names decoder = names_of(TransformerBlock(D, options(true, true), rng));
  CHECK(decoder.size() == encoder.size() + 6);
  for (const char* name : {"multihead_attn.in_proj_weight", "multihead_attn.out_proj.bias", "norm3.weight"}) {
    CHECK(std::find(decoder.begin(), decoder.end(), name) != decoder.end());
  }
}

TEST_CASE("block: inner is 4 D unless given") {
  Rng rng(1);
  CHECK(TransformerBlock(D, {.heads = 2}, rng).feed_forward.linear1.weight.shape() == Shape{4 * D, D});
}

TEST_CASE("block: pre-norm and post-norm, written out") {
  Rng rng(2);
  const Tensor x = random_tensor({B, T, D}, rng);
  const Tensor source = random_tensor({B, S, D}, rng);
  const Mask causal = Mask().causal();
  for (const bool pre_norm : {true, false}) {
    const TransformerBlock block(D, options(pre_norm, true), rng);
    const Memory memory = block.prepare(source, Mask::of_lengths({4, 2}));
    Tensor a, b, expected;
    if (pre_norm) {
      a = x + block.self_attn.self(block.norm1(x), causal);
      b = a + (*block.multihead_attn)(block.norm2(a), memory);
      expected = b + block.feed_forward((*block.norm3)(b), {});
    } else {
      a = block.norm1(x + block.self_attn.self(x, causal));
      b = block.norm2(a + (*block.multihead_attn)(a, memory));
      expected = (*block.norm3)(b + block.feed_forward(b, {}));
    }
    CHECK(close_all(block(x, causal, &memory, {}), expected));
  }
}

TEST_CASE("block: weights are those onto the source, or without a source its own") {
  Rng rng(3);
  const Tensor x = random_tensor({B, T, D}, rng);
  const TransformerBlock decoder(D, options(true, true), rng);
  const Memory memory = decoder.prepare(random_tensor({B, S, D}, rng));
  Tensor weights;
  decoder(x, Mask().causal(), &memory, {}, &weights);
  CHECK(weights.shape() == Shape{B, 2, T, S});
  const TransformerBlock encoder(D, options(true, false), rng);
  encoder(x, Mask().causal(), nullptr, {}, &weights);
  CHECK(weights.shape() == Shape{B, 2, T, T});
  CHECK(close_all(sum(weights, -1), Tensor::full({B, 2, T}, 1)));
}

TEST_CASE("block: step by step with a cache is the whole at once, and a prefix knows nothing of the rest") {
  Rng rng(4);
  for (const bool pre_norm : {true, false}) {
    for (const bool with_source : {true, false}) {
      const TransformerBlock block(D, options(pre_norm, with_source), rng);
      const Tensor x = random_tensor({B, T, D}, rng);
      Memory memory;
      if (with_source) memory = block.prepare(random_tensor({B, S, D}, rng), Mask::of_lengths({2, 4}));
      const Memory* source = with_source ? &memory : nullptr;
      const Tensor whole = block(x, Mask().causal(), source, {});
      CHECK(close_all(block(slice(x, 1, 0, 3), Mask().causal(), source, {}), slice(whole, 1, 0, 3)));
      Memory past;
      for (int64_t t = 0; t < T; ++t) {
        CHECK(close_all(block.extend(slice(x, 1, t, t + 1), past, source, {}), slice(whole, 1, t, t + 1)));
      }
    }
  }
}

TEST_CASE("block: without positions it is permutation equivariant") {
  Rng rng(5);
  const TransformerBlock block(D, options(true, false), rng);
  const Tensor x = random_tensor({B, 3, D}, rng);
  const auto turn = [](const Tensor& y) {
    return stack({select(y, 1, 2), select(y, 1, 0), select(y, 1, 1)}, 1);
  };
  CHECK(close_all(block(turn(x), {}, nullptr, {}), turn(block(x, {}, nullptr, {}))));
}

TEST_CASE("block: dropout in training alone") {
  Rng rng(6);
  TransformerBlock::Options half = options(true, false);
  half.dropout = real(0.5);
  const TransformerBlock block(D, half, rng);
  const Tensor x = random_tensor({B, T, D}, rng);
  CHECK(close_all(block(x, {}, nullptr, {}), block(x, {}, nullptr, {}), 0));
  CHECK_FALSE(close_all(block(x, {}, nullptr, {.train = true, .rng = &rng}), block(x, {}, nullptr, {})));
}

TEST_CASE("block: errors") {
  Rng rng(7);
  const Tensor x = random_tensor({B, T, D}, rng);
  const TransformerBlock encoder(D, options(true, false), rng);
  const TransformerBlock decoder(D, options(true, true), rng);
  const Memory memory = decoder.prepare(x);
  CHECK(error_of([&] { encoder(x, {}, &memory, {}); }) == "TransformerBlock: takes no source memory");
  CHECK(error_of([&] { decoder(x, {}, nullptr, {}); }) == "TransformerBlock: wants a source memory");
  CHECK(error_of([&] { static_cast<void>(encoder.prepare(x)); }) ==
        "TransformerBlock: made without Options::source, so it takes none");
  CHECK(error_of([&] { TransformerBlock(7, {.heads = 4}, rng); }) ==
        "MultiHeadAttention: size 7 does not divide into 4 heads");
}

}  // namespace
}  // namespace heed::tests
