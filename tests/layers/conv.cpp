// Convolution over time and gated linear units, written out; the laws that batches and pieces keep.
#include "layers/conv.hpp"

#include <doctest/doctest.h>

#include "layers/glu.hpp"
#include "tests/layers/numbers.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, T = 7, I = 3, O = 4;

// y[b, t, o] by its formula, `before` counted by hand.
Tensor written_out(const Conv1d& conv, const Tensor& x, int64_t before) {
  const int64_t width = conv.options.width, steps = x.size(1);
  Tensor y = Tensor::zeros({x.size(0), steps, O});
  for (int64_t b = 0; b < x.size(0); ++b) {
    for (int64_t t = 0; t < steps; ++t) {
      for (int64_t o = 0; o < O; ++o) {
        double sum = conv.bias.defined() ? static_cast<double>(conv.bias.data()[o]) : 0;
        for (int64_t k = 0; k < width; ++k) {
          const int64_t s = t - before + k * conv.options.dilation;
          if (s < 0 || s >= steps) continue;
          for (int64_t i = 0; i < I; ++i) {
            sum += static_cast<double>(conv.weight.data()[(o * I + i) * width + k]) *
                   static_cast<double>(x.data()[(b * steps + s) * I + i]);
          }
        }
        y.mutable_data()[(b * steps + t) * O + o] = static_cast<real>(sum);
      }
    }
  }
  return y;
}

struct Case {
  Padding padding;
  int64_t width, dilation, before;
};
constexpr Case cases[] = {{Padding::causal, 1, 1, 0}, {Padding::causal, 3, 1, 2}, {Padding::causal, 3, 2, 4},
                          {Padding::causal, 2, 9, 9}, {Padding::same, 1, 1, 0},   {Padding::same, 3, 1, 1},
                          {Padding::same, 5, 2, 4},   {Padding::same, 4, 1, 1},   {Padding::same, 2, 3, 1}};

TEST_CASE("convolution: its formula on plain numbers, causal and same, dilated") {
  for (const Case& c : cases) {
    for (const bool bias : {true, false}) {
      CAPTURE(c.width);
      CAPTURE(c.dilation);
      Rng rng(1);
      const Conv1d conv(I, O, {.width = c.width, .padding = c.padding, .dilation = c.dilation, .bias = bias},
                        rng);
      const Tensor x = random_tensor({B, T, I}, rng);
      CHECK(close_all(conv(x), written_out(conv, x, c.before)));
      CHECK(conv.reach() == 1 + (c.width - 1) * c.dilation);
    }
  }
}

TEST_CASE("convolution: torch's names, shapes and beginnings") {
  Rng rng(2);
  const Conv1d conv(I, O, {.width = 5}, rng);
  CHECK(names_of(conv) == Names{"weight", "bias"});
  CHECK(conv.weight.shape() == Shape{O, I, 5});
  const double bound = 1 / std::sqrt(5.0 * I);
  double largest = 0;
  for (const Tensor& p : parameters(conv))
    for (const real w : p.values()) largest = std::max(largest, std::abs(static_cast<double>(w)));
  CHECK(largest <= bound);
  CHECK(largest > 0.9 * bound);
}

TEST_CASE("convolution: piece by piece is causal at once") {
  for (const Case& c : cases) {
    if (c.padding != Padding::causal) continue;
    Rng rng(3);
    const Conv1d conv(I, O, {.width = c.width, .padding = c.padding, .dilation = c.dilation}, rng);
    const Tensor x = random_tensor({B, T, I}, rng);
    const Tensor whole = conv(x);
    for (const std::vector<int64_t>& pieces : {std::vector<int64_t>(T, 1), {3, 4}, {1, 6}, {7}}) {
      Tensor past = conv.start(B);
      int64_t t = 0;
      for (const int64_t n : pieces) {
        CHECK(close_all(conv.extend(slice(x, 1, t, t + n), past), slice(whole, 1, t, t + n)));
        CHECK(past.shape() == Shape{B, conv.reach() - 1, I});
        t += n;
      }
    }
  }
}

TEST_CASE("convolution: with hidden slots a batch is each row alone") {
  Rng rng(4);
  const Conv1d first(I, O, {.width = 3}, rng), second(O, O, {.width = 3, .dilation = 2}, rng);
  const Tensor x = random_tensor({B, T, I}, rng);
  const auto run = [&](const Tensor& input, const Mask& mask) {
    return second(hide_slots(first(hide_slots(input, mask)), mask));
  };
  const std::vector<int32_t> lengths{3, 7};
  const Tensor all = run(x, Mask::of_lengths(lengths));
  for (int64_t b = 0; b < B; ++b) {
    const int64_t n = lengths[static_cast<size_t>(b)];
    const auto alone = [&](const Tensor& y) { return slice(slice(y, 0, b, b + 1), 1, 0, n); };
    CHECK(close_all(run(alone(x), {}), alone(all)));
  }
  CHECK_FALSE(close_all(run(x, {}), all));  // what lies beyond the end would leak in
}

TEST_CASE("hide_slots: zeros where the mask hides, by lengths and by bytes") {
  Rng rng(5);
  const Tensor x = random_tensor({B, 3, 1}, rng);
  const Tensor by_lengths = hide_slots(x, Mask::of_lengths({1, 3}));
  CHECK(by_lengths.data()[0] == x.data()[0]);
  CHECK(all_zero(slice(slice(by_lengths, 0, 0, 1), 1, 1, 3)));
  CHECK(close_all(select(by_lengths, 0, 1), select(x, 0, 1), 0));
  const Tensor by_bytes = hide_slots(x, Mask::of_bytes(B, 3, {0, 1, 1, 1, 0, 1}));
  for (const int64_t i : {0, 4}) CHECK(by_bytes.data()[i] == 0);
  for (const int64_t i : {1, 2, 3, 5}) CHECK(by_bytes.data()[i] == x.data()[i]);
  CHECK(hide_slots(x, Mask::of_lengths({3, 3})).data() == x.data());
  CHECK(error_of([&] { hide_slots(x, Mask().causal()); }) ==
        "hide_slots: the mask is causal; wants one that is the same for every query");
}

TEST_CASE("glu: one half, gated by the other") {
  const Tensor x = Tensor::from({2, 4}, {1, -2, 0, 3, real(0.5), 4, -1, 2});
  const Tensor y = glu(x);
  CHECK(y.shape() == Shape{2, 2});
  const auto gate = [](double b) { return 1 / (1 + std::exp(-b)); };
  CHECK(close_vectors(row_of(y, 0), {1 * gate(0), -2 * gate(3)}));
  CHECK(close_vectors(row_of(y, 1), {0.5 * gate(-1), 4 * gate(2)}));
  CHECK(error_of([] { glu(Tensor::zeros({2, 3})); }) == "glu: the last axis of (2, 3) has no halves");
}

TEST_CASE("convolution: errors") {
  Rng rng(6);
  CHECK(error_of([&] { Conv1d(3, 0, {.width = 2}, rng); }) ==
        "Conv1d: sizes in 3, out 0, width 2, dilation 1 must be at least 1");
  const Conv1d conv(I, O, {}, rng);
  CHECK(error_of([&] { conv(Tensor::zeros({2, T, 4})); }) == "Conv1d: input is (2, 7, 4), wants (B, T, 3)");
  Tensor past = conv.start(B);
  CHECK(error_of([&] {
          conv.extend(Tensor::zeros({B, 1, I}), past);
        }) == "Conv1d: only a causal one goes piece by piece");
}

}  // namespace
}  // namespace heed::tests
