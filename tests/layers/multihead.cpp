#include "layers/multihead.hpp"

#include <doctest/doctest.h>

#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, T = 5, S = 7, D = 6, H = 3, E = D / H;

// The layer with biases that are not zero, as after training.
MultiHeadAttention make(Rng& rng) {
  MultiHeadAttention layer(D, H, rng);
  layer.in_proj_bias.assign(random_tensor({3 * D}, rng).values());
  layer.out_proj.bias.assign(random_tensor({D}, rng).values());
  return layer;
}

// Rows [begin, end) of the projection applied to x.
Tensor part(const MultiHeadAttention& layer, const Tensor& x, int64_t begin, int64_t end) {
  return linear(x, slice(layer.in_proj_weight, 0, begin, end), slice(layer.in_proj_bias, 0, begin, end));
}

// The layer written out: every head on its own features, then end to end.
std::pair<Tensor, Tensor> composed(const MultiHeadAttention& layer, const Tensor& x, const Tensor& source,
                                   const Mask& mask) {
  std::vector<Tensor> contexts, weights;
  for (int64_t h = 0; h < H; ++h) {
    const int64_t begin = h * E, end = begin + E;
    const Tensor q = part(layer, x, begin, end);
    const Tensor k = part(layer, source, D + begin, D + end);
    const Tensor v = part(layer, source, 2 * D + begin, 2 * D + end);
    const auto root = static_cast<real>(std::sqrt(static_cast<double>(E)));
    weights.push_back(softmax(scale(matmul(q, k, {.b = true}), 1 / root), mask));
    contexts.push_back(matmul(weights.back(), v));
  }
  return {layer.out_proj(concat(contexts, 2)), stack(weights, 1)};
}

TEST_CASE("multi-head: torch's names and shapes") {
  Rng rng(1);
  const MultiHeadAttention layer(D, H, rng);
  CHECK(names_of(layer) == Names{"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"});
  CHECK(layer.in_proj_weight.shape() == Shape{3 * D, D});
  CHECK(all_zero(layer.in_proj_bias));
  CHECK(all_zero(layer.out_proj.bias));
}

TEST_CASE("multi-head: is its composition, with every kind of mask") {
  Rng rng(2);
  const MultiHeadAttention layer = make(rng);
  const Tensor x = random_tensor({B, T, D}, rng);
  const Tensor source = random_tensor({B, S, D}, rng);
  for (const Mask& mask : {Mask(), Mask::of_lengths({7, 2}), Mask::of_lengths({3, 0}), Mask().causal(2)}) {
    Tensor weights;
    const Tensor y = layer(x, layer.prepare(source, mask), &weights);
    const auto [expected, expected_weights] = composed(layer, x, source, mask);
    CHECK(close_all(y, expected));
    CHECK(close_all(weights, expected_weights));
  }
  for (const Mask& mask : {Mask(), Mask().causal(), Mask::of_lengths({5, 2}).causal()}) {
    Tensor weights;
    const Tensor y = layer.self(x, mask, &weights);
    const auto [expected, expected_weights] = composed(layer, x, x, mask);
    CHECK(close_all(y, expected));
    CHECK(close_all(weights, expected_weights));
    CHECK(close_all(y, layer(x, layer.prepare(x, mask))));
  }
}

TEST_CASE("multi-head: heads that share keys and values are as many that have the same") {
  Rng rng(8);
  const MultiHeadAttention shared(8, {.heads = 4, .kv_heads = 2}, rng);
  const MultiHeadAttention whole(8, 4, rng);
  CHECK(shared.in_proj_weight.shape() == Shape{16, 8});
  const auto rows = [&](int64_t begin) { return slice(shared.in_proj_weight, 0, begin, begin + 2); };
  const Tensor all = concat({slice(shared.in_proj_weight, 0, 0, 8), rows(8), rows(8), rows(10), rows(10),
                             rows(12), rows(12), rows(14), rows(14)},
                            0);
  Tensor(whole.in_proj_weight).assign(all.values());
  Tensor(whole.out_proj.weight).assign(shared.out_proj.weight.values());
  const Tensor x = random_tensor({B, T, 8}, rng), source = random_tensor({B, S, 8}, rng);
  CHECK(close_all(shared.self(x, Mask().causal()), whole.self(x, Mask().causal())));
  CHECK(close_all(shared(x, shared.prepare(source)), whole(x, whole.prepare(source))));
  CHECK(shared.prepare(source).keys.shape() == Shape{B, S, 4});
  CHECK(error_of([&] { MultiHeadAttention(8, {.heads = 4, .kv_heads = 3}, rng); }) ==
        "MultiHeadAttention: 4 heads cannot share 3 key-value heads evenly");
}

TEST_CASE("multi-head: keys of one sequence, values of another") {
  Rng rng(9);
  const MultiHeadAttention layer = make(rng);
  const Tensor x = random_tensor({B, T, D}, rng);
  const Tensor keys = random_tensor({B, S, D}, rng), values = random_tensor({B, S, D}, rng);
  const Memory both = layer.prepare(keys, values, {});
  CHECK(close_all(both.keys, layer.prepare(keys).keys));
  CHECK(close_all(both.values, layer.prepare(values).values));
  const Memory same = layer.prepare(keys, keys, Mask::of_lengths({4, 2}));
  CHECK(close_all(layer(x, same), layer(x, layer.prepare(keys, Mask::of_lengths({4, 2})))));
}

TEST_CASE("multi-head: its gradients are its composition's") {
  Rng rng(3);
  const MultiHeadAttention layer = make(rng);
  Tensor x = random_tensor({B, T, D}, rng);
  x.requires_grad();
  const Mask mask = Mask::of_lengths({5, 3}).causal();
  backward(probe(layer.self(x, mask)));
  std::vector<Tensor> fused{x.grad().clone()};
  for (const Tensor& p : parameters(layer)) fused.push_back(p.grad().clone());
  x.zero_grad();
  zero_grad(layer);
  backward(probe(composed(layer, x, x, mask).first));
  CHECK(close_all(fused[0], x.grad()));
  size_t i = 1;
  for (const Tensor& p : parameters(layer)) CHECK(close_all(fused[i++], p.grad()));
}

TEST_CASE("multi-head: piece by piece is causal at once") {
  Rng rng(4);
  const MultiHeadAttention layer = make(rng);
  const Tensor x = random_tensor({B, T, D}, rng);
  const Tensor whole = layer.self(x, Mask().causal());
  for (const std::vector<int64_t>& pieces : {std::vector<int64_t>{1, 1, 1, 1, 1}, {3, 2}, {1, 4}, {5}}) {
    Memory past;
    int64_t t = 0;
    for (const int64_t n : pieces) {
      CHECK(close_all(layer.extend(slice(x, 1, t, t + n), past), slice(whole, 1, t, t + n)));
      t += n;
      CHECK(past.slots() == t);
    }
  }
}

TEST_CASE("multi-head: errors") {
  Rng rng(5);
  CHECK(error_of([&] { MultiHeadAttention(7, 4, rng); }) ==
        "MultiHeadAttention: size 7 does not divide into 4 heads");
  CHECK(error_of([&] { MultiHeadAttention(8, 0, rng); }) ==
        "MultiHeadAttention: size 8 does not divide into 0 heads");
  const MultiHeadAttention layer(D, H, rng);
  CHECK(error_of([&] {
          layer.self(Tensor::zeros({B, T, 5}));
        }) == "MultiHeadAttention: input is (2, 5, 5), wants (B, T, 6)");
  CHECK(error_of([&] {
          const Memory memory = layer.prepare(Tensor::zeros({B + 1, T, D}));
          layer(Tensor::zeros({B, T, D}), memory);
        }) == "MultiHeadAttention: a memory of batch 3 for a batch of 2");
}

}  // namespace
}  // namespace heed::tests
