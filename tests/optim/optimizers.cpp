#include <array>
#include <map>
#include <string>

#include "autograd/error.hpp"
#include "optim/adadelta.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"
#include "optim/rmsprop.hpp"
#include "optim/sgd.hpp"
#include "tests/optim/trajectory.hpp"

using namespace heed;
using namespace heed::tests;

namespace {

constexpr int size = 6;
using State = std::array<Real, size>;

Tensor vector() { return parameter({size}); }

}  // namespace

TEST_CASE("SGD follows p -= lr g") {
  Tensor p = vector();
  SGD sgd{{p}, {.lr = 0.1}};
  follow(sgd, p, [](Real x, Real g, size_t, int) { return x - 0.1L * g; });
}

TEST_CASE("SGD adds weight decay to the gradient") {
  Tensor p = vector();
  SGD sgd{{p}, {.lr = 0.1, .weight_decay = 0.05}};
  follow(sgd, p, [](Real x, Real g, size_t, int) { return x - 0.1L * (g + 0.05L * x); });
}

TEST_CASE("SGD's momentum starts from the first gradient") {
  Tensor p = vector();
  SGD sgd{{p}, {.lr = 0.05, .momentum = 0.9, .weight_decay = 0.01}};
  State b{};
  follow(sgd, p, [&](Real x, Real g, size_t j, int t) {
    g += 0.01L * x;
    b[j] = t == 0 ? g : 0.9L * b[j] + g;
    return x - 0.05L * b[j];
  });
}

TEST_CASE("SGD with Nesterov's momentum looks one step ahead") {
  Tensor p = vector();
  SGD sgd{{p}, {.lr = 0.05, .momentum = 0.8, .nesterov = true}};
  State b{};
  follow(sgd, p, [&](Real x, Real g, size_t j, int t) {
    b[j] = t == 0 ? g : 0.8L * b[j] + g;
    return x - 0.05L * (g + 0.8L * b[j]);
  });
}

TEST_CASE("RMSProp, plain") {
  Tensor p = vector();
  RMSProp rmsprop{{p}, {.lr = 0.02, .alpha = 0.9, .weight_decay = 0.01}};
  State v{};
  follow(rmsprop, p, [&](Real x, Real g, size_t j, int) {
    g += 0.01L * x;
    v[j] = 0.9L * v[j] + 0.1L * g * g;
    return x - 0.02L * g / (std::sqrt(v[j]) + 1e-8L);
  });
}

TEST_CASE("RMSProp, centered, with momentum") {
  Tensor p = vector();
  // A large eps: the spread v - m^2 of the first steps is a difference of nearly equal numbers.
  RMSProp rmsprop{{p}, {.lr = 0.02, .alpha = 0.95, .eps = 1e-1, .momentum = 0.7, .centered = true}};
  State v{}, m{}, b{};
  follow(rmsprop, p, [&](Real x, Real g, size_t j, int) {
    v[j] = 0.95L * v[j] + 0.05L * g * g;
    m[j] = 0.95L * m[j] + 0.05L * g;
    b[j] = 0.7L * b[j] + g / (std::sqrt(v[j] - m[j] * m[j]) + 1e-1L);
    return x - 0.02L * b[j];
  });
}

TEST_CASE("Adadelta") {
  Tensor p = vector();
  Adadelta adadelta{{p}, {.lr = 0.5, .rho = 0.9, .eps = 1e-4, .weight_decay = 0.02}};
  State v{}, u{};
  follow(adadelta, p, [&](Real x, Real g, size_t j, int) {
    g += 0.02L * x;
    v[j] = 0.9L * v[j] + 0.1L * g * g;
    const Real move = std::sqrt(u[j] + 1e-4L) / std::sqrt(v[j] + 1e-4L) * g;
    u[j] = 0.9L * u[j] + 0.1L * move * move;
    return x - 0.5L * move;
  });
}

TEST_CASE("Adam corrects the bias of its moments; its weight decay is L2") {
  for (const double decay : {0.0, 0.1}) {
    Tensor p = vector();
    Adam adam{{p}, {.lr = 0.01, .beta2 = 0.99, .weight_decay = decay}};
    State m{}, v{};
    follow(adam, p, [&](Real x, Real g, size_t j, int t) {
      g += Real(decay) * x;
      m[j] = 0.9L * m[j] + 0.1L * g;
      v[j] = 0.99L * v[j] + 0.01L * g * g;
      const Real mean = m[j] / (1 - std::pow(0.9L, t + 1)), square = v[j] / (1 - std::pow(0.99L, t + 1));
      return x - 0.01L * mean / (std::sqrt(square) + 1e-8L);
    });
  }
}

TEST_CASE("AdamW shrinks the parameter apart from the moments; only matrices when told so") {
  for (const bool vector_decays : {true, false}) {
    Tensor p = vector();
    AdamW adam{{p}, {.lr = 0.01, .weight_decay = 0.2, .only_matrices = !vector_decays}};
    State m{}, v{};
    follow(adam, p, [&](Real x, Real g, size_t j, int t) {
      if (vector_decays) x -= 0.01L * 0.2L * x;
      m[j] = 0.9L * m[j] + 0.1L * g;
      v[j] = 0.999L * v[j] + 0.001L * g * g;
      const Real mean = m[j] / (1 - std::pow(0.9L, t + 1)), square = v[j] / (1 - std::pow(0.999L, t + 1));
      return x - 0.01L * mean / (std::sqrt(square) + 1e-8L);
    });
  }
}

TEST_CASE("Adam on many elements is Adam on each") {
  Tensor all = parameter({300, 257}), few = parameter({3, 257});
  Adam one{{all}, {.lr = 0.1}}, other{{few}, {.lr = 0.1}};
  for (int t = 0; t < 3; ++t) {
    set_gradient(all, t);
    set_gradient(few, t);
    one.step();
    other.step();
  }
  for (int64_t j = 0; j < few.size(); ++j) CHECK(all.data()[j] == few.data()[j]);
}

TEST_CASE("a parameter listed twice is stepped once") {
  Tensor p = vector(), same = p;
  SGD sgd{{p, same, p}, {.lr = 1}};
  CHECK(sgd.parameters().size() == 1);
  set_gradient(p, 1);
  sgd.step();
  for (int64_t j = 0; j < size; ++j) {
    const real start = real(0.5) - real(0.3) * real(j);
    CHECK(p.data()[j] == start - gradient(1, int(j)));
  }
}

TEST_CASE("a parameter without a gradient keeps its value and its count of steps") {
  Tensor used = vector(), late = vector();
  Adam adam{{used, late}, {.lr = 0.1, .weight_decay = 0.1}};
  set_gradient(used, 0);
  adam.step();
  const Tensor untouched = vector();
  for (int64_t j = 0; j < size; ++j) CHECK(late.data()[j] == untouched.data()[j]);
  // Its first step, when it comes, is Adam's first step: of size lr.
  set_gradient(late, 1);
  adam.step();
  for (int64_t j = 0; j < size; ++j)
    if (gradient(1, int(j)) != 0) CHECK(close(std::abs(late.data()[j] - untouched.data()[j]), 0.1, 1e-4, 0));
}

TEST_CASE("zero_grad forgets every gradient") {
  Tensor p = vector();
  SGD sgd{{p}};
  set_gradient(p, 0);
  sgd.zero_grad();
  CHECK_FALSE(p.grad().defined());
}

TEST_CASE("a step invalidates what a pending backward has saved") {
  Tensor p = vector();
  SGD sgd{{p}, {.lr = 0.1}};
  const Tensor loss = sum(mul(p, p));
  backward(loss, {.keep_graph = true});
  sgd.step();
  CHECK_THROWS_AS(backward(loss), Error);
}

TEST_CASE("Adam's moments never stick at a subnormal number") {
  Tensor p = vector();
  Adam adam{{p}, {.lr = 1e-3, .beta1 = 0.5, .beta2 = 0.5}};
  set_gradient(p, 1);
  adam.step();
  p.zero_grad();
  backward(sum(scale(p, 0)));  // a gradient that is there, and zero
  for (int t = 0; t < 2500; ++t) adam.step();
  const Tensor before = p.clone();
  adam.step();
  for (int64_t j = 0; j < size; ++j) {
    CHECK(std::isfinite(p.data()[j]));
    CHECK(p.data()[j] == before.data()[j]);
  }
}

TEST_CASE("a profile tells an optimizer's steps and what they move, and clipping") {
  Tensor p = parameter({size}), q = parameter({2, size});
  Adam adam{{p, q}};
  SGD sgd{{p}};
  backward(sum(p) + sum(q));
  start_profile();
  for (int i = 0; i < 3; ++i) adam.step();
  sgd.step();
  clip_grad_norm(adam.parameters(), 0.1);
  stop_profile();
  const std::map<std::string, std::pair<int64_t, int64_t>> expected = {
      {"Adam", {3, 3 * 7 * 3 * size}}, {"SGD", {1, 3 * size}}, {"clip_grad_norm", {1, 3 * 3 * size}}};
  for (const ProfileRow& row : profile().rows) {
    const auto found = expected.find(row.name);
    CHECK((found != expected.end() || row.name == "outside ops"));
    if (found == expected.end()) continue;
    CHECK(row.calls == found->second.first);
    CHECK(row.bytes == double(found->second.second) * sizeof(real));
  }
}

TEST_CASE("bad options are told in one sentence") {
  Tensor p = vector();
  const Tensor constant = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS((SGD{{p}, {.lr = -1}}), "SGD: lr is -1, expected a number that is not negative",
                       Error);
  CHECK_THROWS_WITH_AS((SGD{{p}, {.nesterov = true}}), "SGD: nesterov needs a momentum above 0", Error);
  CHECK_THROWS_WITH_AS((Adam{{p}, {.beta1 = 1}}), "Adam: beta1 is 1, expected at least 0 and below 1", Error);
  CHECK_THROWS_WITH_AS((AdamW{{p, constant}}),
                       "AdamW: parameter 1 of shape (2, 3) needs no gradient; call requires_grad() on it",
                       Error);
}
