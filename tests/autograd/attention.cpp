// dot_attention and rotary against what they are made of, number by number.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "tests/support/close.hpp"
#include "tests/support/errors.hpp"

namespace heed::tests {
namespace {

constexpr double slack = sizeof(real) == 8 ? 1e-12 : 1e-5;

Tensor random(const Shape& shape, Rng& rng) {
  Tensor x = Tensor::empty(shape);
  for (int64_t i = 0; i < x.size(); ++i) x.mutable_data()[i] = static_cast<real>(rng.uniform(-1, 1));
  return x;
}

double at(const Tensor& x, int64_t i, int64_t j, int64_t k) {
  return static_cast<double>(x.data()[(i * x.size(1) + j) * x.size(2) + k]);
}

// One query's context in one head, by the formula of ops.hpp.
std::vector<double> context(const Tensor& q, const Tensor& k, const Tensor& v, const DotAttention& how,
                            const Mask& mask, int64_t b, int64_t h, int64_t t) {
  const int64_t kv_heads = how.kv_heads == 0 ? how.heads : how.kv_heads, slots = k.size(1);
  const int64_t e = q.size(2) / how.heads, f = v.size(2) / kv_heads, part = h * kv_heads / how.heads;
  const auto offset = [&](const Tensor& table, int64_t s, int64_t i) {
    if (!table.defined()) return 0.0;
    const int64_t reach = table.size(0) / 2;
    const int64_t row = std::clamp(s - how.first - t, -reach, reach) + reach;
    return static_cast<double>(table.data()[row * table.size(1) + i]);
  };
  std::vector<double> weights(static_cast<size_t>(mask.visible(b, t, slots)));
  double total = 0;
  for (int64_t s = 0; s < static_cast<int64_t>(weights.size()); ++s) {
    double score = 0;
    for (int64_t i = 0; i < e; ++i)
      score += at(q, b, t, h * e + i) * (at(k, b, s, part * e + i) + offset(how.key_offsets, s, i));
    score *= static_cast<double>(how.scale);
    if (how.slopes.defined())
      score -= static_cast<double>(how.slopes.data()[h]) * std::abs(static_cast<double>(s - how.first - t));
    total += weights[static_cast<size_t>(s)] = std::exp(score);
  }
  std::vector<double> y(static_cast<size_t>(f), 0);
  for (int64_t s = 0; s < static_cast<int64_t>(weights.size()); ++s)
    for (int64_t i = 0; i < f; ++i)
      y[static_cast<size_t>(i)] += weights[static_cast<size_t>(s)] / total *
                                   (at(v, b, s, part * f + i) + offset(how.value_offsets, s, i));
  return y;
}

void check(const Tensor& q, const Tensor& k, const Tensor& v, const DotAttention& how, const Mask& mask) {
  const Tensor y = dot_attention(q, k, v, how, mask);
  const int64_t f = y.size(2) / how.heads;
  for (int64_t b = 0; b < q.size(0); ++b)
    for (int64_t h = 0; h < how.heads; ++h)
      for (int64_t t = 0; t < q.size(1); ++t) {
        const std::vector<double> expected = context(q, k, v, how, mask, b, h, t);
        for (int64_t i = 0; i < f; ++i) {
          INFO("b ", b, " h ", h, " t ", t, " i ", i);
          CHECK(close(at(y, b, t, h * f + i), expected[static_cast<size_t>(i)], slack, slack));
        }
      }
}

TEST_CASE("dot_attention: key-value heads that several heads share, offsets and slopes, written out") {
  Rng rng(1);
  const Tensor q = random({2, 5, 8}, rng), k = random({2, 7, 4}, rng), v = random({2, 7, 6}, rng);
  DotAttention how{.heads = 4, .kv_heads = 2, .scale = real(0.6)};
  for (const Mask& mask : {Mask(), Mask::of_lengths({7, 3}), Mask().causal(2)}) {
    check(q, k, v, how, mask);
    DotAttention sloping = how;
    sloping.first = 2;
    sloping.slopes = Tensor::from({4}, {1, 0.5, 0.25, 0.125});
    check(q, k, v, sloping, mask);
    DotAttention offset = how;
    offset.first = 2;
    offset.key_offsets = random({5, 2}, rng);
    check(q, k, v, offset, mask);
    offset.value_offsets = random({5, 3}, rng);
    check(q, k, v, offset, mask);
    offset.key_offsets = {};
    check(q, k, v, offset, mask);
  }
}

TEST_CASE("dot_attention: offsets over more than one tile of queries") {
  Rng rng(2);
  const Tensor q = random({1, 70, 2}, rng), k = random({1, 70, 2}, rng), v = random({1, 70, 2}, rng);
  DotAttention how;
  how.key_offsets = random({31, 2}, rng);
  how.value_offsets = random({31, 2}, rng);
  check(q, k, v, how, Mask().causal());
}

// The same from ops of its own, one head: softmax(scale q k^T) v.
Tensor composed(const Tensor& q, const Tensor& k, const Tensor& v, real by, const Mask& mask) {
  return matmul(softmax(scale(matmul(q, k, {.b = true}), by), mask), v);
}

// y and the gradients of q, k, v of a random projection of y.
TensorList results(const Tensor& y, const Tensor& projection, const TensorList& inputs) {
  TensorList list{y};
  for (const Tensor& x : inputs) Tensor(x).zero_grad();
  backward(sum(y * projection));
  for (const Tensor& x : inputs) list.push_back(x.grad());
  return list;
}

TEST_CASE("dot_attention: several tiles of queries and of keys, with every mask, is its composition") {
  Rng rng(3);
  const int64_t queries = 150, slots = 140;
  std::vector<uint8_t> some(2 * slots), late(2 * slots, 0);
  for (uint8_t& byte : some) byte = rng.integer(3) > 0;
  for (int64_t s = 130; s < slots; ++s) late[static_cast<size_t>(s)] = 1;  // of row 0; row 1 sees nothing
  const Mask masks[] = {Mask(),
                        Mask::of_lengths({140, 65}),
                        Mask::of_lengths({64, 0}),
                        Mask().causal(),
                        Mask().causal(-70),  // the first 70 queries see nothing
                        Mask::of_lengths({100, 3}).causal(-10),
                        Mask::of_bytes(2, slots, some),
                        Mask::of_bytes(2, slots, some).causal(5),
                        Mask::of_bytes(2, slots, late)};
  for (const double size :
       {1.0, 30.0}) {  // with scores up to hundreds, later tiles shrink earlier ones to nothing
    Tensor q = scale(random({2, queries, 6}, rng), real(size)), k = random({2, slots, 6}, rng);
    Tensor v = random({2, slots, 5}, rng);
    const Tensor projection = random({2, queries, 5}, rng);
    for (Tensor* x : {&q, &k, &v}) x->requires_grad();
    const TensorList inputs{q, k, v};
    for (const Mask& mask : masks) {
      CAPTURE(size);
      CAPTURE(&mask - masks);
      const TensorList tiled = results(dot_attention(q, k, v, 1, real(0.7), mask), projection, inputs);
      const TensorList plain = results(composed(q, k, v, real(0.7), mask), projection, inputs);
      for (size_t i = 0; i < plain.size(); ++i) {
        CAPTURE(i);
        double worst = 0;
        for (int64_t j = 0; j < plain[i].size(); ++j)
          worst = std::max(worst, std::abs(double(tiled[i].data()[j]) - double(plain[i].data()[j])));
        CHECK(worst < 30 * size * slack);
      }
    }
  }
}

TEST_CASE("dot_attention: weights over several tiles are those of softmax") {
  Rng rng(4);
  const Tensor q = random({1, 70, 4}, rng), k = random({1, 130, 4}, rng);
  for (const Mask& mask : {Mask(), Mask().causal(30), Mask::of_lengths({100})}) {
    Tensor weights;
    dot_attention(q, k, k, 1, 1, mask, &weights);
    const Tensor expected = softmax(matmul(q, k, {.b = true}), mask);
    REQUIRE(weights.shape() == Shape{1, 1, 70, 130});
    for (int64_t i = 0; i < expected.size(); ++i) {
      if (expected.data()[i] == 0) CHECK(weights.data()[i] == 0);
      CHECK(close(weights.data()[i], double(expected.data()[i]), 0, slack));
    }
  }
}

TEST_CASE("dot_attention: what does not fit") {
  const Tensor q = Tensor::zeros({1, 2, 6}), k = Tensor::zeros({1, 3, 4}), offsets = Tensor::zeros({4, 2});
  CHECK(error_of([&] { dot_attention(q, k, k, {.heads = 3, .kv_heads = 2}); }) ==
        "dot_attention: 3 heads cannot share 2 key-value heads evenly");
  CHECK(error_of([&] { dot_attention(q, k, k, {.heads = 3}); }) ==
        "dot_attention: 3 heads, 3 of keys and values, do not divide the features of q (1, 2, 6), "
        "k (1, 3, 4), v (1, 3, 4)");
  CHECK(error_of([&] { dot_attention(q, q, q, {.heads = 3, .key_offsets = offsets}); }) ==
        "dot_attention: key offsets are (4, 2), wants (2R + 1, 2)");
  CHECK(error_of([&] { dot_attention(q, q, q, {.heads = 3, .slopes = Tensor::zeros({2})}); }) ==
        "dot_attention: slopes are (2), wants (3)");
  const DotAttention uneven{
      .heads = 3, .key_offsets = Tensor::zeros({3, 2}), .value_offsets = Tensor::zeros({5, 2})};
  CHECK(error_of([&] { dot_attention(q, q, q, uneven); }) ==
        "dot_attention: key offsets (3, 2) and value offsets (5, 2) reach differently far");
}

TEST_CASE("rotary: every pair of features is turned by its angle") {
  Rng rng(3);
  const Tensor x = random({2, 3, 8}, rng);
  const Tensor y = rotary(x, 2, 4, 100);
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t t = 0; t < 3; ++t)
      for (int64_t h = 0; h < 2; ++h)
        for (int64_t i = 0; i < 2; ++i) {
          const double angle =
              static_cast<double>(4 + t) * std::pow(100.0, -2.0 * static_cast<double>(i) / 4);
          const double x0 = at(x, b, t, h * 4 + 2 * i), x1 = at(x, b, t, h * 4 + 2 * i + 1);
          const double y0 = x0 * std::cos(angle) - x1 * std::sin(angle);
          const double y1 = x0 * std::sin(angle) + x1 * std::cos(angle);
          CHECK(close(at(y, b, t, h * 4 + 2 * i), y0, slack, slack));
          CHECK(close(at(y, b, t, h * 4 + 2 * i + 1), y1, slack, slack));
        }
  CHECK(error_of([&] { rotary(x, 8); }) ==
        "rotary: x (2, 3, 8) and 8 heads: wants (B, T, H E) with an even E");
  CHECK(error_of([&] { rotary(x, 2, -1); }) == "rotary: first -1, base 10000: wants at least 0, more than 0");
}

}  // namespace
}  // namespace heed::tests
