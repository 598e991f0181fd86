// Layers without time: Linear, Embedding, Dropout, norms, FeedForward, positions.
#include <doctest/doctest.h>

#include "layers/dropout.hpp"
#include "layers/embedding.hpp"
#include "layers/feed_forward.hpp"
#include "layers/linear.hpp"
#include "layers/norm.hpp"
#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

TEST_CASE("linear: x W^T + b, by hand") {
  Rng rng(1);
  Linear layer(2, 3, rng);
  layer.weight.assign(std::vector<real>{1, 2, 3, 4, 5, 6});
  layer.bias.assign(std::vector<real>{10, 20, 30});
  const Tensor y = layer(Tensor::from({1, 2, 2}, {1, 0, 1, -1}));
  CHECK(close_all(y, Tensor::from({1, 2, 3}, {11, 23, 35, 9, 19, 29})));
}

TEST_CASE("linear: begins within 1/sqrt(I), and a size below 1 is an error") {
  Rng rng(1);
  const Linear layer(16, 40, rng);
  for (const Tensor& p : parameters(layer)) {
    for (const real v : p.values()) CHECK(std::abs(v) <= 0.25);
  }
  CHECK(error_of([&] { Linear(0, 3, rng); }) == "Linear: sizes in 0, out 3 must be at least 1");
}

TEST_CASE("embedding: a row for each id; gradients of a repeated id add up") {
  Rng rng(1);
  const Embedding layer(4, 3, rng);
  const Tensor y = layer(Ids({2, 2}, {3, 0, 3, 3}));
  CHECK(y.shape() == Shape{2, 2, 3});
  for (int64_t d = 0; d < 3; ++d) CHECK(y.data()[d] == layer.weight.data()[9 + d]);
  backward(sum(y));
  CHECK(close_all(layer.weight.grad(), Tensor::from({4, 3}, {1, 1, 1, 0, 0, 0, 0, 0, 0, 3, 3, 3})));
  CHECK(error_of([&] { Embedding(0, 3, rng); }) ==
        "Embedding: sizes vocabulary 0, features 3 must be at least 1");
}

TEST_CASE("dropout: nothing in evaluation; zeros and 1/(1-p) in training, the same from the same generator") {
  Rng rng(5);
  const Dropout layer(real(0.25));
  const Tensor x = Tensor::full({100, 100}, 3);
  CHECK(close_all(layer(x, {}), x, 0));
  CHECK(close_all(Dropout(0)(x, {.train = true, .rng = &rng}), x, 0));
  Rng first(9), second(9);
  const Tensor y = layer(x, {.train = true, .rng = &first});
  CHECK(close_all(y, layer(x, {.train = true, .rng = &second}), 0));
  int64_t zeros = 0;
  for (const real v : y.values()) {
    if (v == 0) {
      ++zeros;
    } else {
      CHECK(std::abs(v - 4) < 1e-5);
    }
  }
  CHECK(zeros > 2300);
  CHECK(zeros < 2700);
  CHECK(error_of([&] { layer(x, {.train = true}); }) ==
        "Dropout: training needs a generator, Pass{.train = true, .rng = &rng}");
  CHECK(error_of([&] { Dropout(1); }) == "Dropout: probability 1 is outside [0, 1)");
}

TEST_CASE("norms: by hand") {
  LayerNorm layer(2, 0);
  layer.weight.assign(std::vector<real>{2, 3});
  layer.bias.assign(std::vector<real>{1, -1});
  CHECK(names_of(layer) == Names{"weight", "bias"});
  CHECK(close_all(layer(Tensor::from({1, 2}, {5, 9})), Tensor::from({1, 2}, {-1, 2})));
  RMSNorm rms(2, 0);
  rms.weight.assign(std::vector<real>{1, 2});
  CHECK(names_of(rms) == Names{"weight"});
  const auto root = static_cast<real>(std::sqrt(12.5));
  CHECK(close_all(rms(Tensor::from({1, 2}, {3, 4})), Tensor::from({1, 2}, {3 / root, 8 / root})));
  CHECK(error_of([] { LayerNorm(0); }) == "LayerNorm: size 0 must be at least 1");
  CHECK(names_of(LayerNorm(2, 0, false)) == Names{"weight"});
  const Norm either(NormKind::rms, 2);
  CHECK(names_of(either) == Names{"weight"});
  CHECK(close_all(either(Tensor::from({1, 2}, {3, 4})), Tensor::from({1, 2}, {3 / root, 4 / root}), 1e-5));
  CHECK(names_of(Norm(NormKind::layer, 2, false)) == Names{"weight"});
}

TEST_CASE("feed-forward: its formula, and torch's names") {
  Rng rng(1);
  const FeedForward layer(3, 5, Activation::gelu, 0, rng);
  CHECK(names_of(layer) == Names{"linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"});
  const Tensor x = random_tensor({2, 4, 3}, rng);
  const Tensor inner = gelu(linear(x, layer.linear1.weight, layer.linear1.bias));
  CHECK(close_all(layer(x, {}), linear(inner, layer.linear2.weight, layer.linear2.bias)));
  const FeedForward gated(3, 5, Activation::swiglu, 0, rng, false);
  CHECK(names_of(gated) == Names{"linear1.weight", "linear2.weight"});
  const Tensor u = linear(x, slice(gated.linear1.weight, 0, 0, 5)),
               g = linear(x, slice(gated.linear1.weight, 0, 5, 10));
  CHECK(close_all(gated(x, {}), linear(u * (g * sigmoid(g)), gated.linear2.weight)));
}

}  // namespace
}  // namespace heed::tests
