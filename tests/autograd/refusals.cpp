#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "tests/support/errors.hpp"

// What the engine refuses, in a sentence, where it could crash: tensors that are none, sizes that do not fit.

namespace heed::tests {
namespace {

// Two kinds of undefined tensor: one never had a shape, one keeps the shape of what was moved out of it.
std::vector<Tensor> undefined() {
  std::vector<Tensor> kinds(1);
  Tensor x = Tensor::zeros({2, 3});
  const Tensor taken = std::move(x);
  kinds.push_back(x);  // NOLINT(bugprone-use-after-move): the very thing to test
  return kinds;
}

TEST_CASE("every op says that a tensor is undefined") {
  Rng rng(1);
  const Tensor y = Tensor::zeros({2, 3});
  const std::string why = " is undefined (never set, or moved from)";
  for (const Tensor& x : undefined()) {
    const auto one = [&](const std::string& op, const std::function<void()>& f) {
      CHECK(error_of(f) == op + ": tensor 1 of 1" + why);
    };
    one("neg", [&] { neg(x); });
    one("scale", [&] { scale(x, 2); });
    one("shift", [&] { shift(x, 2); });
    one("exp", [&] { exp(x); });
    one("sqrt", [&] { sqrt(x); });
    one("dropout", [&] { dropout(x, real(0.5), rng); });
    one("sum", [&] { sum(x); });
    one("mean", [&] { mean(x); });
    one("permute", [&] { permute(x, {}); });
    one("transpose", [&] { transpose(x); });
    one("pad", [&] { pad(x, 0, 1, 1); });
    one("expand", [&] { expand(x, {2, 3}); });
    one("windows", [&] { windows(x, 1, 1, 0); });
    one("embedding", [&] { embedding(x, Ids({1}, {0})); });
    one("softmax", [&] { softmax(x); });
    one("cross_entropy", [&] { cross_entropy(x, Ids(Shape{})); });
    one("layer_norm", [&] { layer_norm(x, {}, {}); });
    one("clone", [&] { (void)x.clone(); });
    one("reshape", [&] { (void)x.reshape({1}); });
    Tensor copy = x;
    one("assign", [&] { copy.assign(std::vector<real>(1)); });
    CHECK(error_of([&] { add(x, y); }) == "add: tensor 1 of 2" + why);
    CHECK(error_of([&] { add(y, x); }) == "add: tensor 2 of 2" + why);
    CHECK(error_of([&] { mse(y, x); }) == "mse: tensor 2 of 2" + why);
    CHECK(error_of([&] { matmul(y, x); }) == "matmul: tensor 2 of 2" + why);
    CHECK(error_of([&] { linear(x, y); }) == "linear: tensor 1 of 2" + why);
    CHECK(error_of([&] { dot_attention(y, y, x, 1, 1); }) == "dot_attention: tensor 3 of 3" + why);
    CHECK(error_of([&] { concat({y, x}, 0); }) == "concat: part 1 is undefined");
    CHECK(error_of([&] { stack({y, x}, 0); }) == "stack: part 1 is undefined");
    const std::string numbers = "tensor: the numbers of an undefined tensor (never set, or moved from)";
    CHECK(error_of([&] { (void)x.data(); }) == numbers);
    CHECK(error_of([&] { (void)x.values(); }) == numbers);
    CHECK(error_of([&] { (void)copy.mutable_data(); }) == numbers);
  }
}

TEST_CASE("sizes that do not fit are refused before anything is asked of the system") {
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  const auto refused = [](const std::function<void()>& f) {
    return error_of(f).find("more elements than fit into memory") != std::string::npos;
  };
  CHECK(error_of([] {
          (void)Tensor::zeros({int64_t{1} << 33, int64_t{1} << 31});
        }) == "shape (8589934592, 2147483648): more elements than fit into memory");
  CHECK(refused([] { (void)Tensor::empty({int64_t{1} << 62}); }));
  CHECK(refused([] { Ids(Shape{int64_t{1} << 62}); }));
  CHECK(refused([&] { (void)Shape({0, most, most}); }));  // outer() and inner() would overflow
  const Tensor x = Tensor::zeros({2, 1});
  CHECK(refused([&] { expand(x, {2, most}); }));
  CHECK(refused([&] { pad(x, 0, most, 0); }));
  CHECK(refused([&] { pad(x, 1, 1, most - 1); }));
  CHECK(refused([&] { pad(x, 1, most, most); }));
  CHECK(refused([] { windows(Tensor::zeros({0, 1 << 20, 1 << 20}), 1 << 30, 1, 0); }));
  CHECK(refused([&] { one_hot(Ids(Shape{2}), most); }));
  CHECK(refused([&] { (void)x.reshape({most, 2, -1}); }));
  CHECK(refused([&] { Mask::of_bytes(most, 2, {1, 1}); }));
  CHECK(error_of([&] { select(x, 0, most); }) ==
        "select: index 9223372036854775807 of axis 0 of (2, 1) is out of range");
  const std::vector<int64_t> wrap{most, most, 4};
  CHECK(error_of([&] { split(x, 0, wrap); }).starts_with("split: sizes (9223372036854775807, "));
}

TEST_CASE("memory that the system does not have is told, and counted nowhere") {
  const MemoryStats before = memory_stats();
  CHECK(error_of([] { (void)Tensor::empty({int64_t{1} << 57}); }).starts_with("memory: the system has no "));
  CHECK(memory_stats().live_bytes == before.live_bytes);
  CHECK(memory_stats().peak_bytes == before.peak_bytes);
}

}  // namespace
}  // namespace heed::tests
