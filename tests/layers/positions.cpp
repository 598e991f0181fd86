#include "layers/positions.hpp"

#include <doctest/doctest.h>

#include "layers/positions/all.hpp"
#include "layers/transformer_block.hpp"
#include "tests/layers/common.hpp"
#include "tests/support/close.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, T = 6, D = 8, H = 2, E = D / H;

TransformerBlock make_block(const char* positions, int64_t kv_heads = 0) {
  Rng rng(1);
  return {D, {.heads = H, .kv_heads = kv_heads, .inner = 6, .positions = positions, .reach = 2}, rng};
}

std::unique_ptr<Positions> make(const char* name, bool on_inputs) {
  Rng rng(2);
  return make_positions(name, on_inputs, {.size = D, .heads = H, .width = E, .longest = T, .reach = 2}, rng);
}

// softmax's argument of one head without scale: every query against every key.
Tensor scores(const Tensor& q, const Tensor& k) { return matmul(q, k, {.b = true}); }

TEST_CASE("sinusoidal positions: the formula, any start, any length") {
  const Tensor p = sinusoidal_positions(3, 4);
  CHECK(close_all(select(p, 0, 0), Tensor::from({4}, {0, 1, 0, 1})));
  const auto f = [](double v) { return static_cast<real>(v); };
  CHECK(close_all(select(p, 0, 2), Tensor::from({4}, {f(std::sin(2.0)), f(std::cos(2.0)), f(std::sin(0.02)),
                                                      f(std::cos(0.02))})));
  CHECK(close_all(sinusoidal_positions(2, 4, 1), slice(p, 0, 1, 3)));
  CHECK(sinusoidal_positions(2000, 5).shape() == Shape{2000, 5});
  CHECK(error_of([] { sinusoidal_positions(1, 0); }) ==
        "sinusoidal_positions: count 1, size 0, first 0: wants at least 0, 1, 0");
}

TEST_CASE("positions: each acts in one place, by name") {
  for (const KnownPositions& known : known_positions()) {
    CAPTURE(known.name);
    const bool none = std::string_view(known.name) == "none";
    CHECK((make(known.name, true) != nullptr) == (!none && known.on_inputs));
    CHECK((make(known.name, false) != nullptr) == (!none && !known.on_inputs));
  }
  CHECK(error_of([] { make("absolute", true); }) ==
        "no positions \"absolute\"; there are none, sinusoidal, learned, relative, rotary, alibi");
}

TEST_CASE("positions: sinusoidal and learned are added to the inputs") {
  Rng rng(3);
  const Tensor x = random_tensor({B, 3, D}, rng);
  CHECK(close_all(make("sinusoidal", true)->place(x, 2), x + sinusoidal_positions(3, D, 2)));
  Learned learned({.size = D, .longest = T}, rng);
  CHECK(close_all(learned.place(x, 2), x + slice(learned.weight, 0, 2, 5)));
  CHECK(names_of(learned) == Names{"weight"});
  CHECK(error_of([&] { static_cast<void>(learned.place(x, 4)); }) ==
        "learned positions: 7 tokens, but 6 were learned");
  CHECK(error_of([&] { Learned({.size = D, .longest = 0}, rng); }) ==
        "learned positions: longest 0 must be at least 1");
}

TEST_CASE("rotary: scores depend on the distance alone") {
  Rng rng(4);
  const Tensor q = random_tensor({1, T, E}, rng), k = random_tensor({1, T, E}, rng);
  const auto positions = make("rotary", false);
  const Tensor near = scores(positions->turn(q, 1, 0), positions->turn(k, 1, 0));
  const Tensor far = scores(positions->turn(q, 1, 31), positions->turn(k, 1, 31));
  CHECK(close_all(near, far, 10 * tolerance));
  CHECK_FALSE(close_all(near, scores(positions->turn(q, 1, 1), positions->turn(k, 1, 0))));
  // The same query and key everywhere: one score per distance.
  const Tensor same = expand(slice(q, 1, 0, 1), {1, T, E});
  const Tensor turned = positions->turn(same, 1, 0), s = scores(turned, turned);
  for (int64_t t = 1; t < T; ++t)
    CHECK(close_all(slice(select(s, 1, t), 1, t, T), slice(select(s, 1, 0), 1, 0, T - t), 10 * tolerance));
  CHECK(error_of([&] { Rotary({.size = 6, .heads = 2, .width = 3}, rng); }) ==
        "rotary positions: the 3 features of a head are odd");
}

TEST_CASE("alibi: slopes halve, and what is far weighs less") {
  Rng rng(5);
  const Alibi alibi({.size = 16, .heads = 8, .width = 2}, rng);
  CHECK(close_all(alibi.slopes,
                  Tensor::from({8}, {real(0.5), real(0.25), real(0.125), real(0.0625), real(0.03125),
                                     real(0.015625), real(0.0078125), real(0.00390625)})));
  const Tensor zero = Tensor::zeros({1, T, 16});
  DotAttention how{.heads = 8};
  alibi.relate(how);
  Tensor weights;  // (1, 8, T, T)
  dot_attention(zero, zero, zero, how, Mask().causal(), &weights);
  const Tensor last = select(select(weights, 1, 0), 1, T - 1);  // of the head with slope 1/2
  for (int64_t s = 1; s < T; ++s)
    CHECK(close(static_cast<double>(last.data()[s]), static_cast<double>(last.data()[s - 1]) * std::exp(0.5),
                10 * tolerance, 0));
}

TEST_CASE("relative: keys and values learn vectors for distances, clipped") {
  Rng rng(6);
  const Relative relative({.size = D, .heads = H, .width = E, .reach = 2}, rng);
  CHECK(names_of(relative) == Names{"keys", "values"});
  CHECK(relative.keys.shape() == Shape{5, E});
  DotAttention how;
  relative.relate(how);
  CHECK(how.key_offsets.data() == relative.keys.data());
  CHECK(how.value_offsets.data() == relative.values.data());
  CHECK(error_of([&] { Relative({.size = D, .heads = H, .width = E, .reach = 0}, rng); }) ==
        "relative positions: reach 0 must be at least 1");
}

TEST_CASE("positions: with any kind, and shared heads, token after token is all at once") {
  Rng rng(7);
  const Tensor x = random_tensor({B, T, D}, rng);
  for (const KnownPositions& known : known_positions()) {
    for (const int64_t kv_heads : {0, 1}) {
      CAPTURE(known.name);
      const TransformerBlock block = make_block(known.name, kv_heads);
      const Tensor whole = block(x, Mask().causal(), nullptr, {});
      Memory past;
      for (int64_t t = 0; t < T; t += 2)  // by twos
        CHECK(close_all(block.extend(slice(x, 1, t, t + 2), past, nullptr, {}), slice(whole, 1, t, t + 2)));
      CHECK(past.keys.shape() == Shape{B, T, kv_heads == 1 ? E : D});
    }
  }
}

TEST_CASE(
    "positions: the kinds that act in attention break its permutation equivariance, the others do not") {
  Rng rng(8);
  const Tensor x = random_tensor({B, 3, D}, rng);
  const auto turn = [](const Tensor& y) {
    return stack({select(y, 1, 2), select(y, 1, 0), select(y, 1, 1)}, 1);
  };
  for (const KnownPositions& known : known_positions()) {
    CAPTURE(known.name);
    const TransformerBlock block = make_block(known.name);
    const bool equivariant = close_all(block(turn(x), {}, nullptr, {}), turn(block(x, {}, nullptr, {})));
    CHECK(equivariant == (make(known.name, false) == nullptr));
  }
}

TEST_CASE("positions: those that act in attention know distances, so a shift changes nothing") {
  Rng rng(9);
  const Tensor x = random_tensor({B, 3, D}, rng);
  for (const char* name : {"rotary", "relative", "alibi"}) {
    CAPTURE(name);
    const TransformerBlock block = make_block(name);
    // Four slots before, which a mask hides: the same tokens stand four further on.
    const Tensor padded = concat({Tensor::zeros({B, 4, D}), x}, 1);
    std::vector<uint8_t> seen;
    for (int64_t b = 0; b < B; ++b)
      for (int64_t s = 0; s < 7; ++s) seen.push_back(s >= 4);
    const Tensor later = block(padded, Mask::of_bytes(B, 7, seen), nullptr, {});
    CHECK(close_all(slice(later, 1, 4, 7), block(x, {}, nullptr, {}), 10 * tolerance));
  }
}

}  // namespace
}  // namespace heed::tests
