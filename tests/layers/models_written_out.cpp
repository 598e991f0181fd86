// The models' formulas, written out from their parameters by name.
#include <doctest/doctest.h>

#include <map>

#include "layers/models/recurrent.hpp"
#include "layers/models/transformer.hpp"
#include "layers/positions/sinusoidal.hpp"
#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, S = 4, T = 3, H = 6;

// The parameters of a model, by name.
struct Parameters {
  explicit Parameters(const Module& model) {
    for (const NamedParameter& p : named_parameters(model)) all[p.name] = p.tensor;
  }
  const Tensor& operator()(const std::string& name) const {
    CAPTURE(name);
    REQUIRE(all.count(name) == 1);
    return all.at(name);
  }
  // x W^T + b, where the layer has one.
  [[nodiscard]] Tensor linear_layer(const std::string& name, const Tensor& x) const {
    const auto bias = all.find(name + ".bias");
    return linear(x, (*this)(name + ".weight"), bias == all.end() ? Tensor() : bias->second);
  }
  // Copies all that begins with `prefix` into a layer of its own.
  void load(const Module& layer, const std::string& prefix) const {
    for (NamedParameter& p : named_parameters(layer)) p.tensor.assign((*this)(prefix + p.name).values());
  }
  std::map<std::string, Tensor> all;
};

Ids column(const Ids& ids, int64_t t) { return {{B}, {ids[t], ids[T + t]}}; }

// A recurrent layer's states over x (B, T, I).
Tensor run(const Parameters& p, Cell cell, const std::string& layer, const std::string& suffix,
           const Tensor& x, const Tensor& state, bool backward = false) {
  const Tensor gates = linear(x, p(layer + ".weight_ih" + suffix), p(layer + ".bias_ih" + suffix));
  return recurrent(cell, gates, state, p(layer + ".weight_hh" + suffix), p(layer + ".bias_hh" + suffix),
                   {.lengths = {}, .backward = backward});
}

// The decoder's first state: from the encoder's states there (B, S, P E) and, if bidirectional, back.
Tensor first_state(const Parameters& p, const RecurrentSeq2Seq::Options& o, const Tensor& there,
                   const Tensor& back) {
  const Tensor last = select(there, 1, S - 1);
  const Tensor h = hidden_part(o.cell, last);
  if (!o.bidirectional) return o.bridge ? tanh(p.linear_layer("bridges.0", h)) : last;
  const Tensor first = select(back, 1, 0);
  if (o.bridge) return tanh(p.linear_layer("bridges.0", concat({h, hidden_part(o.cell, first)}, 1)));
  if (o.cell == Cell::gru) return concat({last, first}, 1);
  return concat({slice(last, 1, 0, H / 2), slice(first, 1, 0, H / 2), slice(last, 1, H / 2, H),
                 slice(first, 1, H / 2, H)},
                1);
}

// Bilinear scores of the states (each (B, H)) for a query, softmax, and the average of values (B, S, D).
Attended bilinear(const Tensor& query, const Tensor& states, const Tensor& values, const Tensor& weight) {
  const Tensor keys = matmul(states, weight, {.b = true});
  const Tensor weights = softmax(sum(query.reshape({B, 1, H}) * keys, 2));
  return {sum(weights.reshape({B, states.size(1), 1}) * values, 1), weights, weights};
}

// One step at a time, each decoder order as its comment says.
Prediction written_out(const Parameters& p, const RecurrentSeq2Seq::Options& o, const Ids& source,
                       const Ids& target) {
  const Tensor x = embedding(p("source_embedding.weight"), source);
  const Tensor zero = Tensor::zeros({B, state_parts(o.cell) * (o.bidirectional ? H / 2 : H)});
  const Tensor there = run(p, o.cell, "encoder", "_l0", x, zero);
  const Tensor back = o.bidirectional ? run(p, o.cell, "encoder", "_l0_reverse", x, zero, true) : Tensor();
  Tensor states = hidden_part(o.cell, there);
  if (o.bidirectional) states = concat({states, hidden_part(o.cell, back)}, 2);
  const Tensor& values = o.values == RecurrentSeq2Seq::Values::states ? states : x;
  Tensor s = first_state(p, o, there, back);
  const Tensor fixed = hidden_part(o.cell, s);
  Tensor fed = Tensor::zeros({B, H});
  std::vector<Tensor> logits, all_weights, past;
  const auto look = [&](const Tensor& query) {  // (B, H) -> context (B, D)
    const Attended seen = o.order == DecoderOrder::none
                              ? Attended{fixed, {}, {}}
                              : bilinear(query, states, values, p("scorer.key.weight"));
    all_weights.push_back(seen.weights);
    return seen.context;
  };
  const auto next = [&](const Tensor& input) {
    s = select(run(p, o.cell, "decoder", "_l0", input.reshape({B, 1, input.size(1)}), s), 1, 0);
    return hidden_part(o.cell, s);
  };
  for (int64_t t = 0; t < T; ++t) {
    const Tensor y = embedding(p("target_embedding.weight"), column(target, t));
    Tensor h, context;
    if (o.order == DecoderOrder::bahdanau || o.order == DecoderOrder::none) {
      context = look(hidden_part(o.cell, s));
      h = next(concat({y, context}, 1));
    } else if (o.order == DecoderOrder::previous) {
      context = look(hidden_part(o.cell, s));
      h = next(y);
    } else {
      h = next(o.order == DecoderOrder::luong ? y : concat({y, fed}, 1));
      context = look(h);
    }
    Tensor d = Tensor::zeros({B, H});
    if (!past.empty()) d = bilinear(h, stack(past, 1), stack(past, 1), p("past_scorer.key.weight")).context;
    if (o.own_past) past.push_back(h);
    fed = tanh(
        p.linear_layer("attentional", o.own_past ? concat({context, d, h}, 1) : concat({context, h}, 1)));
    logits.push_back(p.linear_layer("output", fed));
  }
  return {stack(logits, 1), o.order == DecoderOrder::none ? Tensor() : stack(all_weights, 1)};
}

TEST_CASE("recurrent encoder-decoder: every order of the decoder, written out") {
  using Values = RecurrentSeq2Seq::Values;
  for (const DecoderOrder order : {DecoderOrder::luong, DecoderOrder::previous, DecoderOrder::input_feeding,
                                   DecoderOrder::bahdanau, DecoderOrder::none}) {
    for (int bits = 0; bits < 16; ++bits) {
      CAPTURE(static_cast<int>(order));
      CAPTURE(bits);
      Rng rng(1);
      RecurrentSeq2Seq::Options options{.source_vocabulary = 8,
                                        .target_vocabulary = 7,
                                        .cell = (bits & 1) != 0 ? Cell::gru : Cell::lstm,
                                        .embed = 5,
                                        .hidden = H,
                                        .scorer = "bilinear",
                                        .order = order};
      options.values = options.cell == Cell::gru ? Values::states : Values::embeddings;
      options.bidirectional = (bits & 2) != 0;
      options.bridge = (bits & 4) != 0;
      options.own_past = (bits & 8) != 0;
      const RecurrentSeq2Seq model(options, rng);
      const Ids source = random_ids({B, S}, 4, 8, rng);
      const Ids target = random_ids({B, T}, 3, 7, rng);
      const Prediction found = model(source, std::vector<int32_t>{S, S}, target, {});
      const Prediction expected = written_out(Parameters(model), options, source, target);
      CHECK(close_all(found.logits, expected.logits));
      REQUIRE(found.weights.defined() == expected.weights.defined());
      if (expected.weights.defined()) CHECK(close_all(found.weights, expected.weights));
    }
  }
}

TEST_CASE("luong2015: one direction, no bridge, the attentional vector is fed") {
  const RecurrentSeq2Seq::Options o =
      luong2015({.source_vocabulary = 8, .target_vocabulary = 7, .scorer = "dot"});
  Rng rng(1);
  const RecurrentSeq2Seq model(o, rng);
  const Parameters p(model);
  CHECK(p.all.count("bridges.0.weight") == 0);
  CHECK(p.all.count("encoder.weight_ih_l0_reverse") == 0);
  CHECK(p.all.count("attentional.bias") == 0);
  CHECK(p("decoder.weight_ih_l0").shape() == Shape{4 * 64, 32 + 64});  // [y; a]
  CHECK(p("attentional.weight").shape() == Shape{64, 2 * 64});         // [c; s]
  const RecurrentSeq2Seq::Options small = luong2015(
      {.source_vocabulary = 8, .target_vocabulary = 7, .embed = 5, .hidden = H, .scorer = "bilinear"});
  const RecurrentSeq2Seq other(small, rng);
  const Ids source = random_ids({B, S}, 4, 8, rng), target = random_ids({B, T}, 3, 7, rng);
  CHECK(close_all(other(source, std::vector<int32_t>{S, S}, target, {}).logits,
                  written_out(Parameters(other), small, source, target).logits));
}

TEST_CASE("Transformer: embeddings times root D plus positions, blocks, a last norm, written out") {
  for (const bool pre_norm : {true, false}) {
    CAPTURE(pre_norm);
    Rng rng(2);
    const TransformerSeq2Seq model({.source_vocabulary = 8,
                                    .target_vocabulary = 7,
                                    .size = H,
                                    .layers = 1,
                                    .heads = 2,
                                    .inner = 5,
                                    .pre_norm = pre_norm},
                                   rng);
    const Parameters p(model);
    const TransformerBlock::Options options{.heads = 2, .inner = 5, .pre_norm = pre_norm};
    const TransformerBlock encoder(H, options, rng);
    TransformerBlock::Options with_source = options;
    with_source.source = true;
    const TransformerBlock decoder(H, with_source, rng);
    p.load(encoder, "encoder.layers.0.");
    p.load(decoder, "decoder.layers.0.");
    const LayerNorm norm(H);
    const auto embed = [&](const char* table, const Ids& ids) {
      const auto root = static_cast<real>(std::sqrt(static_cast<double>(H)));
      return scale(embedding(p(table), ids), root) + sinusoidal_positions(ids.shape()[1], H);
    };
    const auto last_norm = [&](const char* name, const Tensor& x) {
      if (!pre_norm) return x;
      p.load(norm, name);
      return norm(x);
    };
    const Ids source = random_ids({B, S}, 4, 8, rng);
    const Ids target = random_ids({B, T}, 3, 7, rng);
    const Mask mask = Mask::of_lengths({S, 2});
    const Tensor x = encoder(embed("encoder.embedding.weight", source), mask, nullptr, {});
    const Memory memory = decoder.prepare(last_norm("encoder.norm.", x), mask);
    Tensor weights;
    const Tensor y =
        decoder(embed("decoder.embedding.weight", target), Mask().causal(), &memory, {}, &weights);
    const Prediction found = model(source, std::vector<int32_t>{S, 2}, target, {});
    CHECK(close_all(found.logits, p.linear_layer("decoder.output", last_norm("decoder.norm.", y))));
    CHECK(close_all(found.weights, scale(sum(weights, 1), real(0.5))));
  }
}

}  // namespace
}  // namespace heed::tests
