// The models' formulas, written out from their parameters by name.
#include <doctest/doctest.h>

#include <map>

#include "layers/models/recurrent.hpp"
#include "layers/models/transformer.hpp"
#include "layers/positions.hpp"
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

// One step at a time: bilinear scores, softmax, each decoder order as its comment says.
Prediction written_out(const Parameters& p, const RecurrentSeq2Seq::Options& o, const Ids& source,
                       const Ids& target) {
  const Tensor x = embedding(p("source_embedding.weight"), source);
  const Tensor zero = Tensor::zeros({B, state_parts(o.cell) * H / 2});
  const Tensor there = hidden_part(o.cell, run(p, o.cell, "encoder", "_l0", x, zero));
  const Tensor back = hidden_part(o.cell, run(p, o.cell, "encoder", "_l0_reverse", x, zero, true));
  const Tensor states = concat({there, back}, 2);
  const Tensor& values = o.values == RecurrentSeq2Seq::Values::states ? states : x;
  Tensor s = tanh(p.linear_layer("bridges.0", concat({select(there, 1, S - 1), select(back, 1, 0)}, 1)));
  Tensor fed = Tensor::zeros({B, H});
  std::vector<Tensor> logits, all_weights;
  const auto look = [&](const Tensor& query) {  // (B, H) -> context (B, D)
    const Tensor keys = matmul(states, p("scorer.key.weight"), {.b = true});
    all_weights.push_back(softmax(sum(query.reshape({B, 1, H}) * keys, 2)));
    return sum(all_weights.back().reshape({B, S, 1}) * values, 1);
  };
  const auto next = [&](const Tensor& input) {
    s = select(run(p, o.cell, "decoder", "_l0", input.reshape({B, 1, input.size(1)}), s), 1, 0);
    return hidden_part(o.cell, s);
  };
  for (int64_t t = 0; t < T; ++t) {
    const Tensor y = embedding(p("target_embedding.weight"), column(target, t));
    Tensor h, context;
    if (o.order == DecoderOrder::bahdanau) {
      context = look(hidden_part(o.cell, s));
      h = next(concat({y, context}, 1));
    } else {
      h = next(o.order == DecoderOrder::luong ? y : concat({y, fed}, 1));
      context = look(h);
    }
    fed = tanh(p.linear_layer("attentional", concat({context, h}, 1)));
    logits.push_back(p.linear_layer("output", fed));
  }
  return {stack(logits, 1), stack(all_weights, 1)};
}

TEST_CASE("recurrent encoder-decoder: every order of the decoder, written out") {
  using Values = RecurrentSeq2Seq::Values;
  for (const Cell cell : {Cell::gru, Cell::lstm}) {
    for (const DecoderOrder order :
         {DecoderOrder::luong, DecoderOrder::input_feeding, DecoderOrder::bahdanau}) {
      CAPTURE(static_cast<int>(order));
      Rng rng(1);
      const RecurrentSeq2Seq::Options options{
          .source_vocabulary = 8,
          .target_vocabulary = 7,
          .cell = cell,
          .embed = 5,
          .hidden = H,
          .scorer = "bilinear",
          .order = order,
          .values = cell == Cell::gru ? Values::states : Values::embeddings};
      const RecurrentSeq2Seq model(options, rng);
      const Ids source = random_ids({B, S}, 4, 8, rng);
      const Ids target = random_ids({B, T}, 3, 7, rng);
      const Prediction found = model(source, std::vector<int32_t>{S, S}, target, {});
      const Prediction expected = written_out(Parameters(model), options, source, target);
      CHECK(close_all(found.logits, expected.logits));
      CHECK(close_all(found.weights, expected.weights));
    }
  }
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
    const Tensor x = encoder(embed("source_embedding.weight", source), mask, nullptr, {});
    const Memory memory = decoder.prepare(last_norm("encoder.norm.", x), mask);
    Tensor weights;
    const Tensor y =
        decoder(embed("target_embedding.weight", target), Mask().causal(), &memory, {}, &weights);
    const Prediction found = model(source, std::vector<int32_t>{S, 2}, target, {});
    CHECK(close_all(found.logits, p.linear_layer("output", last_norm("decoder.norm.", y))));
    CHECK(close_all(found.weights, scale(sum(weights, 1), real(0.5))));
  }
}

}  // namespace
}  // namespace heed::tests
