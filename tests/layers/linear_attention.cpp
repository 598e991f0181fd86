// Linear attention in its two forms, and attention as convolution: one function, two ways.
#include "layers/linear_attention.hpp"

#include <doctest/doctest.h>

#include "layers/conv.hpp"
#include "layers/normalizers/softmax.hpp"
#include "layers/scorers/quadratic.hpp"
#include "tests/layers/numbers.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, T = 6, K = 3, D = 2;

double feature(double x) { return x > 0 ? x + 1 : std::exp(x); }

TEST_CASE("linear attention: eq. 8 of Katharopoulos et al., written out") {
  Rng rng(1);
  const Tensor q = random_tensor({B, T, K}, rng), k = random_tensor({B, T, K}, rng);
  const Tensor v = random_tensor({B, T, D}, rng);
  Tensor weights;
  const Tensor y = linear_attention(q, k, v, &weights);
  for (int64_t b = 0; b < B; ++b) {
    for (int64_t t = 0; t < T; ++t) {
      Vector similar(T);
      double total = 0;
      std::vector<Vector> values;
      for (int64_t s = 0; s < T; ++s) {
        values.push_back(row_of(v, b * T + s));
        if (s > t) continue;
        const Vector features = each(row_of(k, b * T + s), feature);
        total += similar[static_cast<size_t>(s)] = dot(each(row_of(q, b * T + t), feature), features);
      }
      for (double& a : similar) a /= total;
      CHECK(close_vectors(row_of(weights, b * T + t), similar));
      CHECK(close_vectors(row_of(y, b * T + t), average(similar, values, D)));
    }
  }
}

TEST_CASE("linear attention: step by step as an RNN is all at once, gradients too") {
  Rng rng(2);
  std::vector<Tensor> inputs;
  for (const int64_t size : {K, K, D}) inputs.push_back(scale(random_tensor({B, T, size}, rng), 3));
  for (Tensor& x : inputs) x.requires_grad();
  const auto stepwise = [&] {
    LinearAttentionState state = start_linear_attention(B, K, D);
    TensorList y;
    for (int64_t t = 0; t < T; ++t) {
      y.push_back(linear_attention_step(state, select(inputs[0], 1, t), select(inputs[1], 1, t),
                                        select(inputs[2], 1, t)));
    }
    CHECK(state.s.shape() == Shape{B, K, D});
    CHECK(state.z.shape() == Shape{B, K});
    return stack(y, 1);
  };
  const Tensor parallel = linear_attention(inputs[0], inputs[1], inputs[2]);
  CHECK(close_all(stepwise(), parallel));
  backward(probe(parallel));
  TensorList expected;
  for (Tensor& x : inputs) {
    expected.push_back(x.grad().clone());
    x.zero_grad();
  }
  backward(probe(stepwise()));
  for (size_t i = 0; i < inputs.size(); ++i) CHECK(close_all(inputs[i].grad(), expected[i]));
}

TEST_CASE("linear attention: features are positive, and large ones do not overflow") {
  const Tensor x = Tensor::from({5}, {-2, 0, real(0.5), 1e4, -1e4});
  CHECK(close_vectors(row_of(elu_features(x), 0), {std::exp(-2.0), 1, 1.5, 10001, 0}));
  Tensor at_zero = Tensor::zeros({1});
  at_zero.requires_grad();
  backward(sum(elu_features(at_zero)));
  CHECK(at_zero.grad().item() == 1);
}

TEST_CASE("linear attention: errors") {
  const Tensor q = Tensor::zeros({B, T, K}), v = Tensor::zeros({B, T, D});
  CHECK(error_of([&] {
          linear_attention(q, Tensor::zeros({B, T, 4}), v);
        }) ==
        "linear_attention: q (2, 6, 3), k (2, 6, 4), v (2, 6, 2): wants (B, T, K), (B, T, K), (B, T, D)");
  CHECK(error_of([&] {
          linear_attention(q, q, Tensor::zeros({B, 5, D}));
        }) ==
        "linear_attention: q (2, 6, 3), k (2, 6, 3), v (2, 5, 2): wants (B, T, K), (B, T, K), (B, T, D)");
  LinearAttentionState state = start_linear_attention(B, K, D);
  CHECK(error_of([&] { linear_attention_step(state, q, q, v); }) ==
        "linear_attention: q (2, 6, 3), k (2, 6, 3), v (2, 6, 2): wants (B, K), (B, K), (B, D)");
}

TEST_CASE("attention is convolution: a head for each shift, theorem 1 of Cordonnier et al., gradients too") {
  constexpr int64_t width = 3, outputs = 4;
  Rng rng(3);
  const Conv1d conv(K, outputs, {.width = width}, rng);
  Tensor x = random_tensor({B, T, K}, rng);
  x.requires_grad();
  const Tensor y = conv(x);
  backward(probe(y));
  const Tensor to_x = x.grad().clone(), to_weight = conv.weight.grad().clone();
  x.zero_grad();
  zero_grad(conv);

  const Tensor padded = pad(x, 1, width / 2, width / 2);  // empty slots at both ends
  const Memory memory{padded, padded};
  Tensor heads;
  for (int64_t k = 0; k < width; ++k) {
    const Attended seen = attend(x, memory, Quadratic(k), Softmax());  // query t stands at slot t + width / 2
    const Tensor part = matmul(seen.context, select(conv.weight, 2, k), {.b = true});
    heads = k == 0 ? part : heads + part;
  }
  const Tensor attention = heads + conv.bias;
  CHECK(close_all(attention, y));
  backward(probe(attention));
  CHECK(close_all(x.grad(), to_x));
  CHECK(close_all(conv.weight.grad(), to_weight));
}

}  // namespace
}  // namespace heed::tests
