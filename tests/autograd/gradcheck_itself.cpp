#include "tests/autograd/gradients.hpp"

// The checker has to reject backwards that are wrong in the ways in which backwards are wrong.

namespace heed::tests {
namespace {

using Inputs = std::vector<Tensor>;

// y = x, with a gradient of our choosing
template <class F>
Function with_backward(F backward) {
  return [=](const Inputs& x) {
    return record("wrong", x[0].clone(), {&x[0]}, [=, n = x[0].size()](Gradients& g) { backward(g, n); });
  };
}

TEST_CASE("gradcheck accepts what is right") {
  const auto identity = with_backward([](Gradients& g, int64_t n) {
    for (int64_t i = 0; i < n; ++i) g.input(0)[i] += g.output()[i];
  });
  CHECK(gradcheck(identity, {spaced({5}, -1, 1)}).empty());
}

TEST_CASE("gradcheck rejects a factor, an assignment, a missing element and a missing gradient") {
  const auto off_by_a_millionth = with_backward([](Gradients& g, int64_t n) {
    for (int64_t i = 0; i < n; ++i) g.input(0)[i] += real(1.000001) * g.output()[i];
  });
  CHECK(gradcheck(off_by_a_millionth, {spaced({5}, -1, 1)}).starts_with("input 0, element 0: analytic"));
  const auto last_forgotten = with_backward([](Gradients& g, int64_t n) {
    for (int64_t i = 0; i + 1 < n; ++i) g.input(0)[i] += g.output()[i];
  });
  CHECK(gradcheck(last_forgotten, {spaced({5}, -1, 1)}).starts_with("input 0, element 4: analytic 0"));
  const auto assigned = [](const Inputs& x) {
    const Tensor y = record("wrong", x[0].clone(), {&x[0]}, [n = x[0].size()](Gradients& g) {
      for (int64_t i = 0; i < n; ++i) g.input(0)[i] = g.output()[i];
    });
    return add(y, tanh(x[0]));  // tanh is younger: its gradient comes first and is lost
  };
  CHECK_FALSE(gradcheck(assigned, {spaced({5}, -1, 1)}).empty());
  const auto none = with_backward([](Gradients& /*g*/, int64_t /*n*/) {});
  CHECK(gradcheck(none, {spaced({5}, -1, 1)}) == "input 0 got no gradient");
}

// A plain sum as objective would accept this one: each row of a softmax sums to 1, so its gradient is 0.
TEST_CASE("gradcheck rejects a softmax backward that is multiplied by seven") {
  const auto seven_times = [](const Inputs& x) {
    Tensor y = softmax(x[0]).detach();
    return record("wrong", y, {&x[0]}, [y = Saved(y), rows = x[0].size(0), n = x[0].size(1)](Gradients& g) {
      for (int64_t r = 0; r < rows; ++r) {
        const real* yr = y.data() + r * n;
        const real* dy = g.output() + r * n;
        real dot = 0;
        for (int64_t i = 0; i < n; ++i) dot += yr[i] * dy[i];
        for (int64_t i = 0; i < n; ++i) g.input(0)[r * n + i] += 7 * yr[i] * (dy[i] - dot);
      }
    });
  };
  CHECK_FALSE(gradcheck(seven_times, {spaced({2, 4}, -1, 1)}).empty());
}

}  // namespace
}  // namespace heed::tests
