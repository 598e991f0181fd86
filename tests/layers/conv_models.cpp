// Stacks of convolutions, ConvS2S and the tagger: written out from their parameters by name, receptive
// fields, errors. What every encoder-decoder promises: models.cpp.
#include <doctest/doctest.h>

#include "layers/conv_stack.hpp"
#include "layers/glu.hpp"
#include "layers/models/conv_seq2seq.hpp"
#include "layers/models/tagger.hpp"
#include "layers/models/tokens.hpp"
#include "layers/positions/sinusoidal.hpp"
#include "tests/layers/numbers.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, S = 5, T = 4, E = 3, D = 4, V = 8;
const std::vector<int32_t> lengths{5, 3};

// One row at a time, on plain numbers: a sequence is a list of vectors.
using Rows = std::vector<Vector>;

// glu(conv(x)) at step t, which sees x[t - before + k].
Vector gated(const Numbers& p, const std::string& conv, const Rows& x, int64_t t, int64_t before) {
  const Tensor& weight = p.all.at(conv + ".weight");
  const int64_t outputs = weight.size(0), width = weight.size(2);
  Vector y = p.row(conv + ".bias");
  for (int64_t o = 0; o < outputs; ++o) {
    for (int64_t k = 0; k < width; ++k) {
      const int64_t s = t - before + k;
      if (s < 0 || s >= static_cast<int64_t>(x.size())) continue;
      for (size_t i = 0; i < x[0].size(); ++i) {
        const int64_t at = (o * static_cast<int64_t>(x[0].size()) + static_cast<int64_t>(i)) * width + k;
        y[static_cast<size_t>(o)] += static_cast<double>(weight.data()[at]) * x[static_cast<size_t>(s)][i];
      }
    }
  }
  const size_t half = y.size() / 2;
  Vector out(half);
  for (size_t i = 0; i < half; ++i) out[i] = y[i] / (1 + std::exp(-y[half + i]));
  return out;
}

Vector halved(const Vector& a, const Vector& b) {
  Vector sum = plus(a, b);
  for (double& v : sum) v *= std::sqrt(0.5);
  return sum;
}

Vector affine(const Numbers& p, const std::string& name, const Vector& x) {
  return plus(p.times(name + ".weight", x), p.row(name + ".bias"));
}

Rows embedded(const Numbers& p, const std::string& name, const Ids& ids, int64_t b, int64_t steps) {
  const Tensor positions = sinusoidal_positions(steps, E);
  Rows rows;
  for (int64_t t = 0; t < steps; ++t) {
    Vector position = row_of(positions, t);
    for (double& v : position) v *= 0.1 * std::sqrt(2.0);
    rows.push_back(plus(p.row(name, ids[b * ids.shape()[1] + t]), position));
  }
  return rows;
}

struct Looked {
  Rows keys, values;
};

Looked encode(const Numbers& p, const Ids& source, int64_t b, int64_t layers) {
  const Rows e = embedded(p, "encoder.embedding.words.weight", source, b, lengths[static_cast<size_t>(b)]);
  Rows x;
  for (const Vector& v : e) x.push_back(affine(p, "encoder.in", v));
  for (int64_t l = 0; l < layers; ++l) {
    Rows next;
    const std::string conv = "encoder.stack.layers." + std::to_string(l) + ".conv";
    for (size_t t = 0; t < x.size(); ++t)
      next.push_back(halved(x[t], gated(p, conv, x, static_cast<int64_t>(t), 1)));
    x = next;
  }
  Looked memory;
  for (size_t t = 0; t < x.size(); ++t) {
    memory.keys.push_back(affine(p, "encoder.out", x[t]));
    memory.values.push_back(plus(memory.keys.back(), e[t]));
  }
  return memory;
}

struct Written {
  Rows logits, weights;  // a row per step; weights over the visible slots
};

Written decode(const Numbers& p, const Looked& memory, const Ids& target, int64_t b, int64_t layers) {
  const Rows g = embedded(p, "decoder.embedding.words.weight", target, b, T);
  Rows x;
  for (const Vector& v : g) x.push_back(affine(p, "decoder.in", v));
  Written written{.logits = {}, .weights = Rows(T, Vector(memory.keys.size()))};
  for (int64_t l = 0; l < layers; ++l) {
    const std::string layer = "decoder.layers." + std::to_string(l);
    Rows next;
    for (size_t t = 0; t < T; ++t) {
      const Vector h = gated(p, layer + ".conv", x, static_cast<int64_t>(t), 2);
      const Vector d = plus(affine(p, layer + ".query", h), g[t]);
      Vector scores;
      for (const Vector& key : memory.keys) scores.push_back(dot(d, key));
      const Vector a = softmax_of(scores);
      Vector c = average(a, memory.values, E);
      for (double& v : c) v *= std::sqrt(static_cast<double>(a.size()));
      next.push_back(halved(x[t], halved(h, affine(p, layer + ".context", c))));
      for (size_t s = 0; s < a.size(); ++s) written.weights[t][s] += a[s] / static_cast<double>(layers);
    }
    x = next;
  }
  for (const Vector& v : x)
    written.logits.push_back(affine(p, "decoder.output", affine(p, "decoder.out", v)));
  return written;
}

// As they begin, the scores are so small that nothing could be told apart.
void scatter(const Module& module) {
  Rng rng(3);
  for (NamedParameter& p : named_parameters(module))
    p.tensor.assign(random_tensor(p.tensor.shape(), rng).values());
}

TEST_CASE("ConvS2S: every layer attends, by its formulas on plain numbers") {
  constexpr int64_t layers = 2;
  Rng rng(1);
  const EncoderDecoder model(
      std::make_unique<ConvEncoder>(
          ConvEncoder::Options{.vocabulary = V, .embed = E, .hidden = D, .layers = layers}, rng),
      std::make_unique<ConvDecoder>(
          ConvDecoder::Options{.vocabulary = V, .memory = E, .embed = E, .hidden = D, .layers = layers},
          rng));
  scatter(model);
  const Ids source({B, S}, {4, 5, 6, 7, 4, 7, 5, 4, tokens::pad, tokens::pad});
  const Ids target = random_ids({B, T}, 1, V, rng);
  const Prediction found = model(source, lengths, target, {});
  const Memory memory = (*model.encoder)(source, lengths, {});
  const Numbers p(model);
  for (int64_t b = 0; b < B; ++b) {
    const Looked looked = encode(p, source, b, layers);
    for (size_t s = 0; s < looked.keys.size(); ++s) {
      CHECK(close_vectors(row_of(memory.keys, b * S + static_cast<int64_t>(s)), looked.keys[s]));
      CHECK(close_vectors(row_of(memory.values, b * S + static_cast<int64_t>(s)), looked.values[s]));
    }
    const Written written = decode(p, looked, target, b, layers);
    for (int64_t t = 0; t < T; ++t) {
      Vector weights = written.weights[static_cast<size_t>(t)];
      weights.resize(S);  // none on what the length hides
      CHECK(close_vectors(row_of(found.logits, b * T + t), written.logits[static_cast<size_t>(t)]));
      CHECK(close_vectors(row_of(found.weights, b * T + t), weights));
    }
  }
}

TEST_CASE("ConvS2S: begins with the variances of section 3.6") {
  Rng rng(2);
  const ConvDecoder decoder(
      {.vocabulary = 200, .memory = 50, .embed = 50, .hidden = 40, .width = 5, .dropout = real(0.2)}, rng);
  const auto deviation = [](const Tensor& x) {
    double squares = 0;
    for (const real v : x.values()) squares += static_cast<double>(v) * static_cast<double>(v);
    return std::sqrt(squares / static_cast<double>(x.size()));
  };
  const auto near = [&](const Tensor& x, double expected) {
    return std::abs(deviation(x) - expected) < 0.05 * expected;
  };
  CHECK(near(decoder.embedding.words.weight, 0.1));
  CHECK(near(decoder.in.weight, std::sqrt(0.8 / 50)));
  CHECK(near(decoder.out.weight, std::sqrt(1.0 / 40)));
  CHECK(near(decoder.output.weight, std::sqrt(0.8 / 50)));
  CHECK(near(decoder.layers[0].gated.conv.weight, std::sqrt(4 * 0.8 / (5 * 40))));
  CHECK(near(decoder.layers[1].query.weight, std::sqrt(1.0 / 40)));
  CHECK(near(decoder.layers[1].context.weight, std::sqrt(1.0 / 50)));
  for (const NamedParameter& p : named_parameters(decoder))
    if (p.name.ends_with("bias")) CHECK(all_zero(p.tensor));
}

// Whether output `to` changes with input `from`.
bool depends(const Stack& stack, int64_t steps, int64_t from, int64_t to) {
  Rng rng(4);
  Tensor x = random_tensor({1, steps, stack.size()}, rng);
  const Tensor before = select(stack(x, {}, {}), 1, to);
  for (int64_t i = 0; i < stack.size(); ++i) x.mutable_data()[from * stack.size() + i] += 1;
  return !close_all(select(stack(x, {}, {}), 1, to), before, 0);
}

TEST_CASE("convolutional stack: sees as far as its receptive field, and no step further") {
  struct Field {
    ConvStack::Options options;
    int64_t reach;
  };
  for (const Field& field :
       {Field{{.size = 2, .layers = 1, .width = 3}, 3}, Field{{.size = 2, .layers = 3, .width = 3}, 7},
        Field{{.size = 2, .layers = 2, .width = 2, .dilations = {1, 3}}, 5},
        Field{{.size = 2, .layers = 3, .width = 3, .dilations = {1, 2}}, 9}}) {
    Rng rng(5);
    ConvStack::Options options = field.options;
    options.padding = Padding::causal;
    const ConvStack causal(options, rng);
    CHECK(causal.reach() == field.reach);
    const int64_t steps = field.reach + 3, last = steps - 1;
    CHECK(depends(causal, steps, last - (field.reach - 1), last));
    CHECK_FALSE(depends(causal, steps, last - field.reach, last));
    CHECK_FALSE(depends(causal, steps, 2, 1));
  }
  Rng rng(6);
  const ConvStack same({.size = 2, .layers = 2, .width = 3}, rng);
  CHECK(depends(same, 9, 2, 4));
  CHECK(depends(same, 9, 6, 4));
  CHECK_FALSE(depends(same, 9, 1, 4));
  CHECK_FALSE(depends(same, 9, 7, 4));
}

Tagger make_tagger(Rng& rng) {
  return {V, 3, std::make_unique<ConvStack>(ConvStack::Options{.size = D, .layers = 2, .width = 3}, rng),
          rng};
}

TEST_CASE("tagger: embedding, stack, linear map, written out; a batch is each row alone") {
  Rng rng(7);
  const Tagger tagger = make_tagger(rng);
  CHECK(names_of(tagger) == Names{"embedding.weight", "stack.layers.0.conv.weight",
                                  "stack.layers.0.conv.bias", "stack.layers.1.conv.weight",
                                  "stack.layers.1.conv.bias", "output.weight", "output.bias"});
  const Ids tokens({B, S}, {4, 5, 6, 7, 4, 7, 5, 4, tokens::pad, tokens::pad});
  const Tensor all = tagger(tokens, lengths, {});
  const Numbers p(tagger);
  for (int64_t b = 0; b < B; ++b) {
    const int64_t n = lengths[static_cast<size_t>(b)];
    Rows x;
    for (int64_t t = 0; t < n; ++t) x.push_back(p.row("embedding.weight", tokens[b * S + t]));
    for (const char* conv : {"stack.layers.0.conv", "stack.layers.1.conv"}) {
      Rows next;
      for (int64_t t = 0; t < n; ++t)
        next.push_back(halved(x[static_cast<size_t>(t)], gated(p, conv, x, t, 1)));
      x = next;
    }
    for (int64_t t = 0; t < n; ++t) {
      CHECK(close_vectors(row_of(all, b * S + t), affine(p, "output", x[static_cast<size_t>(t)])));
    }
    const auto* row = tokens.values().data() + b * S;
    const Tensor alone =
        tagger(Ids({1, n}, {row, row + n}), std::vector<int32_t>{static_cast<int32_t>(n)}, {});
    CHECK(close_all(alone, slice(slice(all, 0, b, b + 1), 1, 0, n)));
  }
}

TEST_CASE("convolutional models: errors") {
  Rng rng(8);
  CHECK(error_of([&] { ConvStack({.size = 4, .layers = 0}, rng); }) ==
        "ConvStack: size 4, layers 0, 1 dilations: wants at least 1 of each");
  CHECK(error_of([&] { ConvStack({.size = 4, .dilations = {}}, rng); }) ==
        "ConvStack: size 4, layers 2, 0 dilations: wants at least 1 of each");
  CHECK(error_of([&] { ConvDecoder({.vocabulary = 9, .layers = 0}, rng); }) ==
        "ConvDecoder: 0 layers, wants at least 1");
  CHECK(error_of([&] { Tagger(5, 3, nullptr, rng); }) == "Tagger: wants a stack");
  const Tagger tagger = make_tagger(rng);
  CHECK(error_of([&] {
          tagger(Ids({1, 2}, {4, 4}), std::vector<int32_t>{3}, {});
        }) == "Tagger: length 3 of row 0 is outside [1, 2]");
}

}  // namespace
}  // namespace heed::tests
