#include "layers/module.hpp"

#include <doctest/doctest.h>

#include "layers/embedding.hpp"
#include "layers/init.hpp"
#include "layers/linear.hpp"
#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

// An embedding whose weight is also the output's.
struct Tied : Module {
  explicit Tied(Rng& rng) : words(5, 3, rng), output(3, 5, rng) { output.weight = words.weight; }
  void visit(const Visitor& visitor) const override {
    visitor("words", words);
    visitor("output", output);
  }
  Embedding words;
  Linear output;
};

double mean_square(const Tensor& x) {
  double total = 0;
  for (const real v : x.values()) total += static_cast<double>(v) * static_cast<double>(v);
  return total / static_cast<double>(x.size());
}

double largest(const Tensor& x) {
  double most = 0;
  for (const real v : x.values()) most = std::max(most, std::abs(static_cast<double>(v)));
  return most;
}

TEST_CASE("module: parameters have dotted names, tied ones appear once") {
  Rng rng(1);
  const Tied tied(rng);
  CHECK(names_of(tied) == Names{"words.weight", "output.bias"});
  CHECK(parameters(tied).size() == 2);
  CHECK(parameter_count(tied) == 5 * 3 + 5);
}

TEST_CASE("module: a parameter that is absent is not listed") {
  Rng rng(1);
  CHECK(names_of(Linear(2, 3, rng)) == Names{"weight", "bias"});
  CHECK(names_of(Linear(2, 3, rng, {.bias = false})) == Names{"weight"});
}

TEST_CASE("module: clone_from copies numbers, and later changes stay apart") {
  Rng rng(1);
  const Linear a(4, 3, rng);
  const Linear b(4, 3, rng);
  REQUIRE_FALSE(close_all(a.weight, b.weight));
  clone_from(a, b);
  CHECK(close_all(a.weight, b.weight, 0));
  CHECK(close_all(a.bias, b.bias, 0));
  const Tensor before = b.weight.clone();
  for (Tensor& p : parameters(a)) p.mutable_data()[0] += 1;
  CHECK(close_all(b.weight, before, 0));
  CHECK_FALSE(close_all(a.weight, before));
}

TEST_CASE("module: clone_from says what does not fit") {
  Rng rng(1);
  const Linear a(4, 3, rng);
  CHECK(error_of([&] { clone_from(a, Linear(5, 3, rng)); }) ==
        "clone_from: weight is (3, 4), in the source (3, 5)");
  CHECK(error_of([&] { clone_from(a, Embedding(3, 4, rng)); }) ==
        "clone_from: the module has 2 parameters, the source 1");
  CHECK(error_of([&] { clone_from(a, Tied(rng)); }) ==
        "clone_from: parameter 0 is weight, in the source words.weight");
}

TEST_CASE("module: zero_grad forgets gradients") {
  Rng rng(1);
  const Linear a(2, 2, rng);
  backward(probe(a(random_tensor({3, 2}, rng))));
  REQUIRE(a.weight.grad().defined());
  REQUIRE_FALSE(all_zero(a.weight.grad()));
  zero_grad(a);
  CHECK((!a.weight.grad().defined() || all_zero(a.weight.grad())));
}

TEST_CASE("init: bounds and variances are the papers'") {
  Rng rng(3);
  const Shape shape{80, 120};
  const double xavier = 2.0 / (80 + 120);
  const double he = 2.0 / 120;
  const Tensor u = xavier_uniform(shape, rng);
  CHECK(largest(u) <= std::sqrt(3 * xavier));
  CHECK(largest(u) > 0.99 * std::sqrt(3 * xavier));
  CHECK(std::abs(mean_square(u) / xavier - 1) < 0.05);
  CHECK(std::abs(mean_square(xavier_normal(shape, rng)) / xavier - 1) < 0.05);
  CHECK(std::abs(mean_square(xavier_normal(shape, rng, 3)) / (9 * xavier) - 1) < 0.05);
  const Tensor k = kaiming_uniform(shape, rng);
  CHECK(largest(k) <= std::sqrt(3 * he));
  CHECK(std::abs(mean_square(k) / he - 1) < 0.05);
  CHECK(std::abs(mean_square(kaiming_normal(shape, rng)) / he - 1) < 0.05);
  CHECK(std::abs(mean_square(normal_init(shape, real(0.5), rng)) / 0.25 - 1) < 0.05);
  CHECK(largest(fan_in_uniform(shape, 16, rng)) <= 0.25);
  CHECK(u.needs_grad());
}

TEST_CASE("init: orthogonal rows, or columns, are orthonormal times gain") {
  Rng rng(3);
  for (const Shape& shape : {Shape{5, 9}, Shape{9, 5}, Shape{6, 6}}) {
    const Tensor w = orthogonal(shape, rng, 2).detach();
    const bool wide = shape[0] <= shape[1];
    const Tensor product = wide ? matmul(w, w, {.b = true}) : matmul(w, w, {.a = true});
    Tensor identity = Tensor::zeros(product.shape());
    for (int64_t i = 0; i < product.size(0); ++i) identity.mutable_data()[i * product.size(0) + i] = 4;
    CHECK(close_all(product, identity));
  }
}

TEST_CASE("init: what cannot be begun is an error") {
  Rng rng(3);
  CHECK(error_of([&] { xavier_uniform({3}, rng); }) == "xavier_uniform: wants a matrix, not (3)");
  CHECK(error_of([&] { fan_in_uniform({3}, 0, rng); }) == "fan_in_uniform: fan_in 0 is below 1");
}

}  // namespace
}  // namespace heed::tests
