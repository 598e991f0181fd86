#include "autograd/graph.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "tests/support/close.hpp"
#include "tests/support/errors.hpp"

namespace heed::tests {
namespace {

constexpr real inf = std::numeric_limits<real>::infinity();

Tensor leaf(std::initializer_list<real> values) {
  Tensor x = Tensor::from({static_cast<int64_t>(values.size())}, values);
  x.requires_grad();
  return x;
}

TEST_CASE("a gradient accumulates over backwards until zero_grad") {
  Tensor x = leaf({2, 3});
  CHECK_FALSE(x.grad().defined());
  backward(sum(mul(x, x)));
  CHECK(x.grad().values()[0] == 4);
  CHECK(x.grad().values()[1] == 6);
  backward(sum(x));
  CHECK(x.grad().values()[0] == 5);
  x.zero_grad();
  CHECK_FALSE(x.grad().defined());
  backward(sum(x));
  CHECK(x.grad().values()[0] == 1);
}

TEST_CASE("a value used along several paths gets the sum of their gradients") {
  Tensor x = leaf({3});
  const Tensor y = scale(x, 2);
  backward(sum(add(mul(y, y), mul(y, x))));  // 4x^2 + 2x^2
  CHECK(x.grad().item() == 36);
}

TEST_CASE("two losses over one graph, if the first keeps it") {
  Tensor x = leaf({2});
  const Tensor y = mul(x, x);
  const Tensor first = sum(scale(y, 3));
  const Tensor second = sum(scale(y, 5));
  SUBCASE("kept") {
    backward(first, {.keep_graph = true});
    CHECK(x.grad().item() == 12);
    backward(second);
    CHECK(x.grad().item() == 32);
  }
  SUBCASE("the same loss twice") {
    backward(first, {.keep_graph = true});
    backward(first);
    CHECK(x.grad().item() == 24);
  }
  SUBCASE("freed") {
    backward(first);
    CHECK(error_of([&] { backward(second); }) ==
          "backward: the graph behind mul was freed by an earlier backward; ask that one for keep_graph");
    CHECK(x.grad().item() == 12);  // nothing was lost
  }
}

TEST_CASE("a loss is one number with a graph behind it") {
  Tensor x = leaf({1, 2});
  CHECK(error_of([&] { backward(scale(x, 2)); }) ==
        "backward: a loss is one number, this tensor has shape (2)");
  CHECK(error_of([&] { backward(Tensor::scalar(1)); }) ==
        "backward: nothing behind this loss wants a gradient");
}

TEST_CASE("an inner gradient is kept on request only") {
  Tensor x = leaf({2});
  Tensor kept = scale(x, 3);
  const Tensor plain = scale(kept, 5);
  kept.retain_grad();
  backward(sum(plain));
  CHECK(kept.grad().item() == 5);
  CHECK_FALSE(plain.grad().defined());
  CHECK(error_of([] { Tensor::scalar(1).retain_grad(); }) ==
        "retain_grad: nobody wants a gradient of this tensor of shape ()");
}

TEST_CASE("what retain_grad keeps of one walk does not enter the next") {
  Tensor x = leaf({2});
  Tensor y = scale(x, 3);
  y.retain_grad();
  const Tensor loss = sum(scale(y, 5));
  backward(loss, {.keep_graph = true});
  backward(loss);
  CHECK(x.grad().item() == 30);
  CHECK(y.grad().item() == 10);
}

TEST_CASE("a backward that threw leaves the graph as it was") {
  Tensor x = leaf({0});
  const Tensor loss = sum(sqrt(shift(x, 0)));
  {
    const Anomaly anomaly;
    CHECK_FALSE(error_of([&] { backward(loss, {.keep_graph = true}); }).empty());
  }
  x.zero_grad();
  backward(loss);
  CHECK(x.grad().item() == inf);
}

TEST_CASE("requires_grad is for leaves") {
  Tensor x = leaf({2});
  Tensor y = scale(x, 2);
  CHECK(error_of([&] { y.requires_grad(); }) ==
        "requires_grad: this tensor was computed by scale; detach it first");
  Tensor z = y.detach();
  z.requires_grad();
  backward(sum(z));
  CHECK(z.grad().item() == 1);
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("NoGrad records nothing, and ends with its scope") {
  Tensor x = leaf({2});
  {
    const NoGrad no_grad;
    CHECK_FALSE(grad_enabled());
    CHECK_FALSE(scale(x, 2).needs_grad());
    { const NoGrad nested; }
    CHECK_FALSE(grad_enabled());
  }
  CHECK(scale(x, 2).needs_grad());
}

TEST_CASE("reshape shares numbers and gradient") {
  Tensor x = leaf({1, 2, 3, 4});
  const Tensor square = x.reshape({2, 2});
  CHECK(square.data() == x.data());
  backward(sum(matmul(square, square)));
  CHECK(x.grad().shape() == Shape{4});
  CHECK(x.grad().values()[0] == 1 + 2 + 1 + 3);
  CHECK(error_of([&] { (void)x.reshape({3, -1}); }) == "reshape: (4) to (3, -1): 4 elements do not divide");
  CHECK(error_of([&] {
          (void)x.reshape({-1, -1});
        }) == "reshape: (4) to (-1, -1): at most one size may be -1");
  CHECK(error_of([&] { (void)x.reshape({5}); }) == "reshape: (4) to (5): sizes differ");
}

// The chain must be neither walked nor destroyed by recursion: 100,000 frames would overflow the stack.
TEST_CASE("a chain of 100,000 steps is walked and freed") {
  Tensor x = leaf({1});
  const auto before = memory_stats().live_bytes;
  {
    Tensor y = x;
    for (int i = 0; i < 100'000; ++i) y = shift(y, real(1e-5));
    backward(sum(y));
    CHECK(x.grad().item() == 1);
  }
  x.zero_grad();
  {  // dropped without a backward
    Tensor y = x;
    for (int i = 0; i < 100'000; ++i) y = shift(y, real(1e-5));
  }
  CHECK(memory_stats().live_bytes == before);
}

TEST_CASE("backward frees what it walked, also while handles to inner tensors live") {
  Tensor x = leaf({1, 2, 3});
  const Tensor y = exp(x);
  const auto before = memory_stats().live_bytes;
  Tensor loss = sum(tanh(exp(y)));
  backward(loss);
  loss = Tensor();
  x.zero_grad();
  CHECK(memory_stats().live_bytes <= before);
}

TEST_CASE("a saved value that was overwritten before backward is an error") {
  Tensor x = leaf({2});
  Tensor w = leaf({3});
  const Tensor loss = sum(mul(x, w));
  w.mutable_data()[0] = 4;  // as an optimizer would
  CHECK(error_of([&] { backward(loss); }).starts_with("backward: a value that it needs was overwritten"));
  CHECK(
      error_of([&] { backward(loss); }) ==
      "backward: an earlier backward of this sum failed, after it had freed a part of the graph; compute it "
      "anew");
  CHECK(error_of([&] { backward(sum(mul(x, w))); }).empty());  // the engine is usable after
  CHECK(x.grad().item() == 4);
}

TEST_CASE("anomaly mode names the first op that made a NaN or an infinity") {
  Tensor x = leaf({1, 0});
  {
    const Anomaly anomaly;
    CHECK(error_of([&] { (void)exp(log(x)); }) == "anomaly: log made -inf at element 1 of 2");
    CHECK(error_of([&] { (void)div(x, x); }).starts_with("anomaly: div made "));
    const Tensor row = Tensor::from({1, 3}, {1, -inf, 2});
    const Mask second_hidden = Mask::of_bytes(1, 3, {1, 0, 1});
    CHECK(error_of([&] { (void)log_softmax(row, second_hidden); }).empty());
    CHECK(error_of([&] { (void)log_softmax(row); }) ==
          "anomaly: log_softmax was given -inf at element 1 of 3");
    CHECK(error_of([&] { (void)log_softmax(x.reshape({1, 2}), Mask::of_lengths({1})); }).empty());
    const Tensor bad = Tensor::from({2, 1}, {0, -std::numeric_limits<real>::quiet_NaN()});
    CHECK(error_of([&] { (void)embedding(bad, Ids({1}, {1})); }) ==
          "anomaly: embedding made nan at element 0 of 1; its input 1 already has nan at element 1 of 2");
    CHECK(error_of([&] { (void)embedding(bad, Ids({1}, {0})); }).empty());
    CHECK(error_of([&] { backward(sum(sqrt(x))); }) ==
          "anomaly: the backward of sqrt made inf at element 1 of 2");
  }
  CHECK(error_of([&] { (void)exp(log(x)); }).empty());
}

TEST_CASE("a tensor that nobody wants a gradient of costs no graph") {
  const Tensor a = Tensor::from({2}, {1, 2});
  CHECK_FALSE(mul(a, a).needs_grad());
  Tensor x = leaf({1, 2});
  backward(sum(mul(a, x)));
  CHECK_FALSE(a.grad().defined());
  CHECK(x.grad().values()[1] == 2);
}

TEST_CASE("a graph of many inputs: concat of 300 tensors") {
  std::vector<Tensor> parts;
  for (int i = 0; i < 300; ++i) parts.push_back(leaf({static_cast<real>(i)}));
  backward(sum(mul(concat(parts, 0), concat(parts, 0))));
  CHECK(parts[299].grad().item() == 598);
}

Tensor random_of(const Shape& shape, Rng& rng) {
  Tensor x = Tensor::empty(shape);
  for (int64_t i = 0; i < x.size(); ++i) x.mutable_data()[i] = static_cast<real>(rng.uniform(-1, 1));
  return x;
}

// A loss of one tensor through one op.
struct OneOp {
  std::string name;
  Shape shape;
  std::function<Tensor(const Tensor&)> loss;
};

// The ops whose backward assigns the first gradient.
std::vector<OneOp> assigning_ops() {
  Rng rng(1);
  const Tensor weights = random_of({2, 2, 4}, rng), other = random_of({4, 4}, rng);
  const Tensor long_weights = random_of({5000}, rng), gamma = random_of({4}, rng);
  const Tensor state = random_of({2, 1}, rng), weight = random_of({3, 1}, rng);
  const Mask mask = Mask::of_lengths({3, 1});
  const std::vector<int32_t> lengths{1, 2};
  const auto weighted = [=](const Tensor& y) { return sum(mul(y, weights)); };
  const auto weighted_long = [=](const Tensor& y) { return sum(mul(y, long_weights)); };
  const Shape cube{2, 2, 4}, row{5000};
  return {
      {"softmax", cube, [=](const Tensor& x) { return weighted(softmax(x, mask)); }},
      {"log_softmax", cube, [=](const Tensor& x) { return sum(slice(log_softmax(x, mask), 2, 0, 1)); }},
      {"layer_norm", cube, [=](const Tensor& x) { return weighted(layer_norm(x, gamma, gamma)); }},
      {"rms_norm", cube, [=](const Tensor& x) { return weighted(rms_norm(x, gamma)); }},
      {"cross_entropy", cube,
       [](const Tensor& x) {
         return cross_entropy(x, Ids({2, 2}, {1, -1, 3, -1}));
       }},
      {"matmul", cube, [=](const Tensor& x) { return weighted(matmul(x, other)); }},
      {"linear", cube, [=](const Tensor& x) { return weighted(linear(x, other)); }},
      {"matmul of one with itself", {4, 4}, [=](const Tensor& x) { return sum(mul(matmul(x, x), other)); }},
      {"recurrent",
       {2, 2, 3},
       [=](const Tensor& x) {
         return sum(recurrent(Cell::gru, x, state, weight, {}, {.lengths = lengths}));
       }},
      {"tanh of many", row, [=](const Tensor& x) { return weighted_long(tanh(x)); }},
      {"dropout of many", row,
       [=](const Tensor& x) {
         Rng dropped(3);
         return weighted_long(dropout(x, real(0.5), dropped));
       }},
      {"mul of one with itself", row, [=](const Tensor& x) { return weighted_long(mul(x, x)); }},
  };
}

// A backward may assign the first gradient that reaches a tensor: into memory that held something else.
TEST_CASE("a first gradient is what would have been added to zeros") {
  const auto litter = [](int64_t size) {  // what the pool gives out next
    TensorList held;
    for (int i = 0; i < 8; ++i) held.push_back(Tensor::full({size}, std::numeric_limits<real>::quiet_NaN()));
  };
  Rng rng(2);
  for (const OneOp& op : assigning_ops()) {
    CAPTURE(op.name);
    const Tensor values = random_of(op.shape, rng);
    Tensor added = values.clone(), assigned = values.clone();
    added.requires_grad();
    backward(scale(sum(added), 0));
    backward(op.loss(added));
    assigned.requires_grad();
    const Tensor loss = op.loss(assigned);
    litter(values.size());
    backward(loss);
    for (int64_t i = 0; i < values.size(); ++i) {
      CAPTURE(i);
      CHECK(close(assigned.grad().data()[i], added.grad().data()[i], sizeof(real) == 4 ? 1e-6 : 1e-14,
                  sizeof(real) == 4 ? 1e-7 : 1e-16));
    }
  }
}

}  // namespace
}  // namespace heed::tests
