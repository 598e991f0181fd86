#include "layers/recurrent.hpp"

#include <doctest/doctest.h>

#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

constexpr Cell every_cell[] = {Cell::rnn, Cell::gru, Cell::lstm};

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// One step of one row with one hidden feature, by torch.nn's formulas: a = W_ih x + b_ih, c = W_hh h + b_hh,
// one number per gate. Returns h, or h and c.
std::vector<double> by_hand(Cell cell, const std::vector<double>& a, const std::vector<double>& c, double h,
                            double memory) {
  if (cell == Cell::rnn) return {std::tanh(a[0] + c[0])};
  if (cell == Cell::gru) {
    const double r = logistic(a[0] + c[0]);
    const double z = logistic(a[1] + c[1]);
    const double n = std::tanh(a[2] + r * c[2]);
    return {(1 - z) * n + z * h};
  }
  const double i = logistic(a[0] + c[0]);
  const double f = logistic(a[1] + c[1]);
  const double g = std::tanh(a[2] + c[2]);
  const double o = logistic(a[3] + c[3]);
  const double next = f * memory + i * g;
  return {o * std::tanh(next), next};
}

Recurrent::States random_states(const Recurrent& layer, int64_t batch, Rng& rng) {
  Recurrent::States states = layer.start(batch);
  for (Tensor& state : states) state = random_tensor(state.shape(), rng);
  return states;
}

// Row b of x, its first `length` steps.
Tensor row(const Tensor& x, int64_t b, int64_t length) { return slice(slice(x, 0, b, b + 1), 1, 0, length); }

TEST_CASE("recurrent: a step is torch's formula with torch's gate order, by hand") {
  Rng rng(1);
  for (const Cell kind : every_cell) {
    const RecurrentCell cell(kind, 1, 1, rng);
    const double x = 0.7, h = -0.4, memory = 0.9;
    std::vector<double> a, c;
    for (int64_t g = 0; g < gates(kind); ++g) {
      a.push_back(static_cast<double>(cell.weight_ih.data()[g]) * x +
                  static_cast<double>(cell.bias_ih.data()[g]));
      c.push_back(static_cast<double>(cell.weight_hh.data()[g]) * h +
                  static_cast<double>(cell.bias_hh.data()[g]));
    }
    Tensor state = Tensor::from({1, 1}, {static_cast<real>(h)});
    if (kind == Cell::lstm) state = Tensor::from({1, 2}, {static_cast<real>(h), static_cast<real>(memory)});
    const Tensor next = cell(Tensor::from({1, 1}, {static_cast<real>(x)}), state);
    const std::vector<double> expected = by_hand(kind, a, c, h, memory);
    REQUIRE(next.size() == static_cast<int64_t>(expected.size()));
    for (size_t i = 0; i < expected.size(); ++i) {
      CHECK(std::abs(static_cast<double>(next.data()[i]) - expected[i]) <= tolerance);
    }
  }
}

TEST_CASE("recurrent: names and shapes are torch's") {
  Rng rng(1);
  const LSTM layer(3, 4, {.layers = 2, .bidirectional = true}, rng);
  CHECK(names_of(layer) == Names{"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0",
                                 "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse",
                                 "bias_hh_l0_reverse", "weight_ih_l1", "weight_hh_l1", "bias_ih_l1",
                                 "bias_hh_l1", "weight_ih_l1_reverse", "weight_hh_l1_reverse",
                                 "bias_ih_l1_reverse", "bias_hh_l1_reverse"});
  CHECK(layer.cells[0].weight_ih.shape() == Shape{16, 3});
  CHECK(layer.cells[2].weight_ih.shape() == Shape{16, 8});
  CHECK(layer.cells[3].weight_hh.shape() == Shape{16, 4});
  CHECK(names_of(GRU(3, 4, {}, rng)) == Names{"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"});
  CHECK(GRU(3, 4, {}, rng).cells[0].weight_hh.shape() == Shape{12, 4});
  CHECK(RNN(3, 4, {}, rng).cells[0].bias_ih.shape() == Shape{4});
  CHECK(names_of(RecurrentCell(Cell::gru, 3, 4, rng)) ==
        Names{"weight_ih", "weight_hh", "bias_ih", "bias_hh"});
}

TEST_CASE("recurrent: the sequence layer is its cells, step by step") {
  Rng rng(2);
  for (const Cell kind : every_cell) {
    const Recurrent layer(kind, 3, 4, {.layers = 2}, rng);
    const Tensor x = random_tensor({2, 5, 3}, rng);
    const Recurrent::States first = random_states(layer, 2, rng);
    const auto [output, last] = layer(x, {}, first);
    Recurrent::States states = first;
    for (int64_t t = 0; t < 5; ++t) {
      const Tensor h = layer.step(select(x, 1, t), states);
      CHECK(close_all(select(output, 1, t), h));
    }
    for (size_t i = 0; i < states.size(); ++i) CHECK(close_all(last[i], states[i]));
  }
}

TEST_CASE("recurrent: a batch with lengths is each row alone, and zero after its length") {
  Rng rng(3);
  const std::vector<int32_t> lengths{5, 2, 0, 3};
  for (const Cell kind : every_cell) {
    const Recurrent layer(kind, 3, 4, {.layers = 2, .bidirectional = true}, rng);
    const Tensor x = random_tensor({4, 5, 3}, rng);
    const Recurrent::States first = random_states(layer, 4, rng);
    const auto [output, last] = layer(x, lengths, first);
    for (int64_t b = 0; b < 4; ++b) {
      const int64_t length = lengths[static_cast<size_t>(b)];
      CHECK(all_zero(slice(slice(output, 0, b, b + 1), 1, length, 5)));
      Recurrent::States own;
      for (const Tensor& state : first) own.push_back(slice(state, 0, b, b + 1));
      if (length == 0) {
        for (size_t i = 0; i < own.size(); ++i) CHECK(close_all(slice(last[i], 0, b, b + 1), own[i]));
        continue;
      }
      const auto [alone, end] = layer(row(x, b, length), {}, own);
      CHECK(close_all(row(output, b, length), alone));
      for (size_t i = 0; i < end.size(); ++i) CHECK(close_all(slice(last[i], 0, b, b + 1), end[i]));
    }
  }
}

TEST_CASE("recurrent: backward is forward over the reversed sequence") {
  Rng rng(4);
  for (const Cell kind : every_cell) {
    const RecurrentCell cell(kind, 3, 4, rng);
    const Tensor x = random_tensor({2, 5, 3}, rng);
    std::vector<Tensor> turned;
    for (int64_t t = 4; t >= 0; --t) turned.push_back(select(x, 1, t));
    const Tensor there = cell.run(x, cell.start(2), {.lengths = {}, .backward = true});
    const Tensor back = cell.run(stack(turned, 1), cell.start(2));
    for (int64_t t = 0; t < 5; ++t) CHECK(close_all(select(there, 1, t), select(back, 1, 4 - t)));
  }
}

TEST_CASE("recurrent: what lies after a row's length has no influence and no gradient") {
  Rng rng(5);
  const std::vector<int32_t> lengths{2, 4};
  const GRU layer(3, 4, {.layers = 2, .bidirectional = true}, rng);
  Tensor x = random_tensor({2, 4, 3}, rng);
  const Tensor before = layer(x, lengths).output.detach();
  for (int64_t i = 2 * 3; i < 4 * 3; ++i) x.mutable_data()[i] = 100;
  CHECK(close_all(layer(x, lengths).output, before, 0));
  x.requires_grad();
  const auto [output, last] = layer(x, lengths);
  backward(probe(output) + probe(last[0]) + probe(last[3]));
  CHECK(all_zero(slice(slice(x.grad(), 0, 0, 1), 1, 2, 4)));
  CHECK_FALSE(all_zero(slice(slice(x.grad(), 0, 0, 1), 1, 0, 2)));
}

TEST_CASE("recurrent: dropout acts between layers alone, in training alone") {
  Rng rng(6);
  const GRU deep(3, 4, {.layers = 2, .dropout = real(0.5)}, rng);
  const GRU flat(3, 4, {.layers = 1, .dropout = real(0.5)}, rng);
  const Tensor x = random_tensor({2, 5, 3}, rng);
  Rng noise(1);
  const Pass train{.train = true, .rng = &noise};
  CHECK(close_all(flat(x, {}, {}, train).output, flat(x).output, 0));
  CHECK_FALSE(close_all(deep(x, {}, {}, train).output, deep(x).output));
}

TEST_CASE("recurrent: errors") {
  Rng rng(7);
  const GRU both(3, 4, {.bidirectional = true}, rng);
  Recurrent::States states = both.start(2);
  CHECK(error_of([&] {
          both.step(Tensor::zeros({2, 3}), states);
        }) == "Recurrent: a bidirectional layer cannot go step by step");
  CHECK(error_of([&] { both(Tensor::zeros({2, 3})); }) == "Recurrent: input is (2, 3), wants (B, T, I)");
  states.pop_back();
  CHECK(error_of([&] {
          both(Tensor::zeros({2, 5, 3}), {}, states);
        }) == "Recurrent: 1 states for 2 layers and directions");
  CHECK(error_of([&] { GRU(3, 0, {}, rng); }) == "RecurrentCell: sizes input 3, hidden 0 must be at least 1");
  CHECK(error_of([&] { GRU(3, 4, {.layers = 0}, rng); }) == "Recurrent: 0 layers, wants at least 1");
}

}  // namespace
}  // namespace heed::tests
