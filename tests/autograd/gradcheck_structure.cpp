#include "tests/autograd/gradients.hpp"

// Shape ops, indexing, products, softmax, norms, recurrence, attention: their gradients against finite
// differences, as in gradcheck_elementwise.cpp.

namespace heed::tests {
namespace {

using Inputs = std::vector<Tensor>;

// Nothing hidden; lengths, one of them 0; bytes; causality; both.
std::vector<Mask> masks() {
  return {{},
          Mask::of_lengths({3, 0}),
          Mask::of_bytes(2, 4, {1, 0, 1, 1, 0, 0, 1, 0}),
          Mask().causal(),
          Mask::of_lengths({4, 2}).causal(1)};
}

TEST_CASE("gradcheck: shape ops") {
  const Inputs one = {spaced({2, 3, 4}, -2, 2)};
  check_gradient("permute", one, [](const Inputs& x) { return permute(x[0], {2, 0, 1}); });
  check_gradient("permute", {spaced({2, 3, 2, 3}, -2, 2)}, [](const Inputs& x) {
    return permute(x[0], {3, 1, 0, 2});
  });
  check_gradient("transpose", one, [](const Inputs& x) { return transpose(x[0]); });
  check_gradient("reshape", one, [](const Inputs& x) { return tanh(x[0].reshape({4, -1})); });
  for (const int axis : {0, 1, 2}) {
    check_gradient("slice", one, [=](const Inputs& x) { return slice(x[0], axis, 1, x[0].size(axis)); });
    check_gradient("select", one, [=](const Inputs& x) { return select(x[0], axis, 1); });
    check_gradient("pad", one, [=](const Inputs& x) { return pad(x[0], axis, 2, 1, real(0.5)); });
    check_gradient("split", one, [=](const Inputs& x) {
      const int64_t sizes[] = {1, x[0].size(axis) - 1};
      const TensorList parts = split(x[0], axis, sizes);
      return add(sum(tanh(parts[0])), sum(exp(parts[1])));
    });
    check_gradient("concat", {spaced({2, 3, 4}, -2, 2), spaced({2, 3, 4}, -2, 2, 5)}, [=](const Inputs& x) {
      return concat({x[0], x[1], x[0]}, axis);
    });
    check_gradient("stack", {spaced({2, 3, 4}, -2, 2), spaced({2, 3, 4}, -2, 2, 5)}, [=](const Inputs& x) {
      return stack({x[0], x[1]}, axis);
    });
  }
  check_gradient("expand", {spaced({3, 1}, -2, 2)}, [](const Inputs& x) { return expand(x[0], {2, 3, 4}); });
  for (const int64_t dilation : {1, 2}) {
    for (const int64_t before : {0, 1, 4, 9}) {
      check_gradient("windows", {spaced({2, 5, 2}, -2, 2)},
                     [=](const Inputs& x) { return windows(x[0], 3, dilation, before); });
    }
  }
}

TEST_CASE("gradcheck: picking by number") {
  check_gradient("embedding", {spaced({5, 3}, -2, 2)}, [](const Inputs& x) {
    return embedding(x[0], Ids({2, 3}, {4, 0, 1, 1, 4, 4}));
  });
  const int32_t rows[] = {1, 1, 0};
  check_gradient("select_rows", {spaced({2, 3, 2}, -2, 2)},
                 [&](const Inputs& x) { return select_rows(x[0], rows); });
  check_gradient("gather", {spaced({2, 4}, -2, 2)}, [](const Inputs& x) {
    return gather(x[0], Ids({2, 3}, {3, 0, 3, 1, 1, 2}));
  });
  check_gradient("scatter_sum", {spaced({2, 3, 4}, -2, 2)}, [](const Inputs& x) {
    return scatter_sum(x[0], Ids({2, 4}, {3, 0, 3, -1, 1, 1, 1, 2}), 5);
  });
}

TEST_CASE("gradcheck: products in every transposition") {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const auto product = [=](const Inputs& x) { return matmul(x[0], x[1], {.a = ta, .b = tb}); };
      const Shape a2 = ta ? Shape{4, 3} : Shape{3, 4};
      const Shape b2 = tb ? Shape{5, 4} : Shape{4, 5};
      const auto batched = [](const Shape& s) { return Shape{2, s[0], s[1]}; };
      check_gradient("matmul", {spaced(a2, -2, 2, 1), spaced(b2, -2, 2, 2)}, product);
      check_gradient("matmul", {spaced(batched(a2), -2, 2, 1), spaced(batched(b2), -2, 2, 2)}, product);
      check_gradient("matmul", {spaced(batched(a2), -2, 2, 1), spaced(b2, -2, 2, 2)}, product);
    }
  }
  check_gradient("linear", {spaced({2, 3, 4}, -2, 2), spaced({5, 4}, -1, 1), spaced({5}, -1, 1)},
                 [](const Inputs& x) { return linear(x[0], x[1], x[2]); });
  check_gradient("linear", {spaced({2, 4}, -2, 2), spaced({5, 4}, -1, 1)},
                 [](const Inputs& x) { return linear(x[0], x[1]); });
}

TEST_CASE("gradcheck: softmax under every kind of mask") {
  for (const Mask& mask : masks()) {
    check_gradient("softmax", {spaced({2, 3, 4}, -2, 2)},
                   [&](const Inputs& x) { return softmax(x[0], mask); });
    check_gradient("softmax", {spaced({2, 2, 3, 4}, -2, 2)},
                   [&](const Inputs& x) { return softmax(x[0], mask); });
    // hidden slots are -inf: replaced, so that the objective is finite
    check_gradient("log_softmax", {spaced({2, 3, 4}, -2, 2)}, [&](const Inputs& x) {
      const Tensor y = log_softmax(x[0], mask);
      Ids finite(y.shape());
      for (int64_t i = 0; i < y.size(); ++i)
        finite.values()[static_cast<size_t>(i)] = y.data()[i] > -1e30 ? 1 : 0;
      return where(finite, y, zeros_like(y));
    });
  }
  check_gradient("softmax", {spaced({4}, -2, 2)}, [](const Inputs& x) { return softmax(x[0]); });
  check_gradient("log_softmax", {spaced({4}, -2, 2)}, [](const Inputs& x) { return log_softmax(x[0]); });
}

// Scores of which one in five is far below the rest, so that no support changes nearby; those in the support
// are near each other, since at its border the higher derivatives of entmax grow without bound.
Tensor clustered(Shape shape) {
  Tensor x = spaced(shape, 0, 0.12);
  for (int64_t i = 2; i < x.size(); i += 5) x.mutable_data()[i] -= 3;
  return x;
}

TEST_CASE("gradcheck: sparse relatives of softmax under every kind of mask") {
  for (const Mask& mask : masks()) {
    for (const Shape& shape : {Shape{2, 3, 4}, Shape{2, 2, 3, 4}}) {
      const Inputs scores = {spaced(shape, -1, 1)};
      check_gradient("sparsemax", scores, [&](const Inputs& x) { return sparsemax(x[0], mask); });
      check_gradient("entmax15", scores, [&](const Inputs& x) { return entmax15(x[0], mask); });
      for (const double alpha : {1.2, 1.5, 1.9}) {
        CAPTURE(alpha);
        check_gradient("entmax", {clustered(shape), Tensor::scalar(alpha)},
                       [&](const Inputs& x) { return entmax(x[0], x[1], mask); });
      }
    }
  }
  check_gradient("entmax", {spaced({1, 2}, 0, 0.05), Tensor::scalar(2.5)},
                 [](const Inputs& x) { return entmax(x[0], x[1]); });
}

TEST_CASE("gradcheck: cumulative sums, and walks through the slots") {
  for (const int axis : {0, 1, 2}) {
    for (const bool exclusive : {false, true}) {
      check_gradient("cumsum", {spaced({2, 3, 4}, -2, 2)},
                     [=](const Inputs& x) { return cumsum(x[0], axis, exclusive); });
    }
  }
  const Inputs walk = {spaced({2, 3, 4}, 0.1, 0.9), spaced({2, 4}, 0, 0.5, 2)};
  check_gradient("monotonic", walk, [](const Inputs& x) { return monotonic(x[0], x[1]); });
  check_gradient("monotonic", {walk[0]}, [&](const Inputs& x) { return monotonic(x[0], walk[1]); });
  check_gradient("monotonic", {walk[1]}, [&](const Inputs& x) { return monotonic(walk[0], x[0]); });
  check_gradient("monotonic_parallel", walk, [](const Inputs& x) { return monotonic_parallel(x[0], x[1]); });
}

TEST_CASE("gradcheck: norms") {
  const Inputs inputs = {spaced({2, 3, 5}, -2, 2), spaced({5}, 0.5, 1.5), spaced({5}, -1, 1)};
  check_gradient("layer_norm", inputs, [](const Inputs& x) { return layer_norm(x[0], x[1], x[2]); });
  check_gradient("layer_norm", {inputs[0]}, [](const Inputs& x) { return layer_norm(x[0], {}, {}); });
  check_gradient("rms_norm", {inputs[0], inputs[1]}, [](const Inputs& x) { return rms_norm(x[0], x[1]); });
  check_gradient("rms_norm", {inputs[0]}, [](const Inputs& x) { return rms_norm(x[0], {}); });
}

TEST_CASE("gradcheck: recurrence of every cell, both ways, with and without lengths") {
  const std::vector<int32_t> lengths = {3, 1};
  for (const Cell cell : {Cell::rnn, Cell::gru, Cell::lstm}) {
    const int64_t g = gates(cell) * 2;
    const Inputs inputs = {spaced({2, 3, g}, -1, 1, 1), spaced({2, 2 * state_parts(cell)}, -1, 1, 2),
                           spaced({g, 2}, -1, 1, 3), spaced({g}, -1, 1, 4)};
    for (const bool backward : {false, true}) {
      check_gradient("recurrent", inputs, [&](const Inputs& x) {
        return recurrent(cell, x[0], x[1], x[2], x[3], {.backward = backward});
      });
      check_gradient("recurrent", inputs, [&](const Inputs& x) {
        return recurrent(cell, x[0], x[1], x[2], x[3], {.lengths = lengths, .backward = backward});
      });
      check_gradient("recurrent", {inputs[0], inputs[1], inputs[2]}, [&](const Inputs& x) {
        return recurrent(cell, x[0], x[1], x[2], {}, {.backward = backward});
      });
    }
  }
}

TEST_CASE("gradcheck: fused attention under every kind of mask") {
  for (const Mask& mask : masks()) {
    check_gradient("additive_scores",
                   {spaced({2, 3, 5}, -1, 1, 1), spaced({2, 4, 5}, -1, 1, 2), spaced({5}, -1, 1, 3)},
                   [&](const Inputs& x) { return additive_scores(x[0], x[1], x[2], mask); });
    for (const int64_t heads : {1, 2}) {
      check_gradient(
          "dot_attention",
          {spaced({2, 3, 4}, -1, 1, 1), spaced({2, 4, 4}, -1, 1, 2), spaced({2, 4, 6}, -1, 1, 3)},
          [&](const Inputs& x) { return dot_attention(x[0], x[1], x[2], heads, real(0.7), mask); });
    }
  }
}

TEST_CASE("gradcheck: attention with shared key-value heads and with distances") {
  const Inputs plain = {spaced({2, 3, 8}, -1, 1, 1), spaced({2, 4, 4}, -1, 1, 2),
                        spaced({2, 4, 6}, -1, 1, 3)};
  const Tensor slopes = Tensor::from({4}, {1, 0.5, 0.25, 0.125});
  for (const Mask& mask : masks()) {
    check_gradient("dot_attention", plain, [&](const Inputs& x) {
      return dot_attention(x[0], x[1], x[2], {.heads = 4, .kv_heads = 2, .scale = real(0.7)}, mask);
    });
    check_gradient("dot_attention", plain, [&](const Inputs& x) {
      return dot_attention(x[0], x[1], x[2], {.heads = 4, .kv_heads = 2, .first = 1, .slopes = slopes}, mask);
    });
    Inputs offset = plain;
    offset.push_back(spaced({5, 2}, -1, 1, 4));
    offset.push_back(spaced({5, 3}, -1, 1, 5));
    check_gradient("dot_attention", offset, [&](const Inputs& x) {
      DotAttention how{.heads = 4, .kv_heads = 2, .scale = real(0.7), .first = 1};
      how.key_offsets = x[3];
      how.value_offsets = x[4];
      return dot_attention(x[0], x[1], x[2], how, mask);
    });
  }
}

TEST_CASE("gradcheck: rotary") {
  check_gradient("rotary", {spaced({2, 3, 8}, -1, 1)}, [](const Inputs& x) { return rotary(x[0], 2, 5); });
}

TEST_CASE("gradcheck: attention over more than one tile of queries") {
  const Tensor k = spaced({1, 70, 2}, -1, 1, 2);
  const Tensor q = spaced({1, 70, 2}, -1, 1, 3);
  const auto half = [](const Tensor& x) { return slice(x, 1, 0, 32); };
  check_gradient("dot_attention", {half(k), half(k)}, [&](const Inputs& x) {
    const Tensor keys = concat({x[0], slice(k, 1, 32, 70)}, 1);
    const Tensor values = concat({x[1], slice(k, 1, 32, 70)}, 1);
    return dot_attention(q, keys, values, 1, 1, Mask().causal());
  });
}

}  // namespace
}  // namespace heed::tests
