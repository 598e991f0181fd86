#include "layers/models/conv_seq2seq.hpp"

#include <cmath>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"
#include "layers/positions/sinusoidal.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

constexpr real deviation = real(0.1);  // of words and of positions, as they begin

Linear scaled_linear(int64_t in, int64_t out, real kept, Rng& rng) {
  Linear linear(in, out, rng);
  linear.weight = normal_init({out, in}, std::sqrt(kept / static_cast<real>(in)), rng);
  linear.bias = constant_init({out}, 0);
  return linear;
}

// How many slots each row may see: (B, 1, 1).
Tensor visible_slots(const Memory& memory) {
  const Tensor ones = Tensor::full({memory.batch(), memory.slots(), 1}, 1);
  return sum(hide_slots(ones, memory.mask), 1, true);
}

}  // namespace

ConvEmbedding::ConvEmbedding(int64_t vocabulary, int64_t size, real dropout, Rng& rng)
    : words(vocabulary, size, rng, deviation), dropout(dropout) {}

Tensor ConvEmbedding::operator()(const Ids& ids, int64_t first, const Pass& pass) const {
  const Tensor positions = sinusoidal_positions(ids.shape()[1], words.weight.size(1), first);
  return dropout(words(ids) + scale(positions, deviation * std::sqrt(real(2))), pass);
}

ConvEncoder::ConvEncoder(const Options& o, Rng& rng)
    : embedding(o.vocabulary, o.embed, o.dropout, rng),
      in(scaled_linear(o.embed, o.hidden, 1 - o.dropout, rng)),
      out(scaled_linear(o.hidden, o.embed, 1, rng)),
      stack({.size = o.hidden, .layers = o.layers, .width = o.width, .dropout = o.dropout}, rng) {}

Memory ConvEncoder::operator()(const Ids& source, std::span<const int32_t> lengths, const Pass& pass) const {
  check_batch("ConvEncoder", source, lengths);
  const Mask mask = Mask::of_lengths(lengths);
  const Tensor e = embedding(source, 0, pass);     // (B, S, E)
  const Tensor z = out(stack(in(e), mask, pass));  // (B, S, E)
  return {z, z + e, mask};
}

void ConvEncoder::visit(const Visitor& visitor) const {
  visitor("embedding", embedding);
  visitor("in", in);
  visitor("stack", stack);
  visitor("out", out);
}

ConvDecoder::Layer::Layer(const Options& o, Rng& rng)
    : gated(o.hidden, {.width = o.width, .padding = Padding::causal}, o.dropout, rng),
      query(scaled_linear(o.hidden, o.memory, 1, rng)),
      context(scaled_linear(o.memory, o.hidden, 1, rng)) {}

void ConvDecoder::Layer::visit(const Visitor& visitor) const {
  visitor("conv", gated.conv);
  visitor("query", query);
  visitor("context", context);
}

ConvDecoder::ConvDecoder(const Options& o, Rng& rng)
    : embedding(o.vocabulary, o.embed, o.dropout, rng),
      in(scaled_linear(o.embed, o.hidden, 1 - o.dropout, rng)),
      out(scaled_linear(o.hidden, o.embed, 1, rng)),
      output(scaled_linear(o.embed, o.vocabulary, 1 - o.dropout, rng)),
      scorer_({.query = o.memory, .key = o.memory, .hidden = 0}, rng),
      dropout_(o.dropout) {
  if (o.layers < 1) fail("ConvDecoder: {} layers, wants at least 1", o.layers);
  if (o.memory != o.embed) bridge = scaled_linear(o.embed, o.memory, 1 - o.dropout, rng);
  for (int64_t i = 0; i < o.layers; ++i) layers.emplace_back(o, rng);
}

Memory ConvDecoder::prepare(const Memory& source) const {
  source.check("ConvDecoder", source.batch());
  return scorer_.prepare(source.keys, source.values * sqrt(visible_slots(source)), source.mask);
}

Prediction ConvDecoder::run(const Tensor& g, const Memory& memory, TensorList* pasts,
                            const Pass& pass) const {
  const Tensor previous = bridge ? (*bridge)(g) : g;  // (B, T, M)
  Tensor x = in(g), weights;
  for (size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = layers[i];
    const Tensor h = pasts != nullptr ? layer.gated.extend(x, (*pasts)[i], pass) : layer.gated(x, pass);
    const Attended seen = attend(layer.query(h) + previous, memory, scorer_, normalizer_, pass);
    x = halved_sum(x, halved_sum(h, layer.context(seen.context)));
    weights = i == 0 ? seen.weights : weights + seen.weights;
  }
  return {output(dropout_(out(x), pass)), scale(weights, 1 / static_cast<real>(layers.size()))};
}

Prediction ConvDecoder::operator()(const Memory& source, const Ids& target, const Pass& pass) const {
  check_batch("ConvDecoder", target);
  return run(embedding(target, 0, pass), prepare(source), nullptr, pass);
}

DecoderState ConvDecoder::start(const Memory& source) const {
  DecoderState state{.memories = {prepare(source)}, .tensors = {}};
  for (const Layer& layer : layers) state.tensors.push_back(layer.gated.conv.start(source.batch()));
  return state;
}

Prediction ConvDecoder::step(DecoderState& state, const Ids& previous) const {
  const int64_t batch = previous.size();
  const Ids column({batch, 1}, previous.values());
  const Prediction one = run(embedding(column, state.steps, {}), state.memories[0], &state.tensors, {});
  ++state.steps;
  return {one.logits.reshape({batch, -1}), one.weights.reshape({batch, -1})};
}

void ConvDecoder::visit(const Visitor& visitor) const {
  visitor("embedding", embedding);
  visitor("in", in);
  if (bridge) visitor("bridge", *bridge);
  for (size_t i = 0; i < layers.size(); ++i) visitor("layers." + std::to_string(i), layers[i]);
  visitor("out", out);
  visitor("output", output);
}

}  // namespace heed::inline HEED_PRECISION
