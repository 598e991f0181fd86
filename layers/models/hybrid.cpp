#include "layers/models/hybrid.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/normalizers.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

// Half of H, after what Recurrent itself could not say of the whole.
int64_t half_of(int64_t hidden) {
  if (hidden < 2 || hidden % 2 != 0) {
    fail("RecurrentEncoder: hidden {} has no half for each direction", hidden);
  }
  return hidden / 2;
}

// The mean of the values that the mask shows: equal scores have equal weights. (B, S, D) -> (B, D).
Tensor mean_value(const Memory& memory) {
  const Tensor weights = softmax(Tensor::zeros({memory.batch(), 1, memory.slots()}), memory.mask);
  return select(matmul(weights, memory.values), 1, 0);
}

}  // namespace

RecurrentEncoder::RecurrentEncoder(const Options& o, Rng& rng)
    : embedding(o.vocabulary, o.embed, rng),
      recurrent(o.cell, o.embed, half_of(o.hidden),
                {.layers = o.layers, .bidirectional = true, .dropout = o.dropout}, rng),
      size_(o.hidden),
      dropout_(o.dropout) {}

Memory RecurrentEncoder::operator()(const Ids& source, std::span<const int32_t> lengths,
                                    const Pass& pass) const {
  check_batch("RecurrentEncoder", source, lengths);
  const Tensor states = recurrent(dropout_(embedding(source), pass), lengths, {}, pass).output;
  return {states, states, Mask::of_lengths(lengths)};
}

void RecurrentEncoder::visit(const Visitor& visitor) const {
  visitor("embedding", embedding);
  visitor("recurrent", recurrent);
}

RecurrentDecoder::RecurrentDecoder(const Options& o, Rng& rng)
    : embedding(o.vocabulary, o.embed, rng),
      decoder(o.cell, o.embed, o.hidden, {.layers = o.layers, .dropout = o.dropout}, rng),
      scorer(make_scorer(o.scorer, {.query = o.hidden, .key = o.memory, .hidden = o.hidden, .slots = o.slots},
                         rng)),
      normalizer(make_normalizer(
          o.normalizer,
          {.query = o.hidden, .hidden = o.hidden, .temperature = o.temperature, .window = o.window}, rng)),
      attentional(o.memory + o.hidden, o.hidden, rng, {.bias = false}),
      output(o.hidden, o.vocabulary, rng),
      dropout_(o.dropout) {
  for (int64_t i = 0; i < o.layers; ++i) bridges.emplace_back(o.memory, state_parts(o.cell) * o.hidden, rng);
}

DecoderState RecurrentDecoder::start(const Memory& source) const {
  source.check("RecurrentDecoder", source.batch());
  DecoderState state{.memories = {scorer->prepare(source.keys, source.values, source.mask)}, .tensors = {}};
  const Tensor mean = mean_value(source);
  for (const Linear& bridge : bridges) state.tensors.push_back(tanh(bridge(mean)));  // (B, P H)
  return state;
}

Prediction RecurrentDecoder::read(const Tensor& h, DecoderState& state, const Pass& pass) const {
  const Attended seen = attend(h, state.memories[0], *scorer, *normalizer, pass, &state.past);
  const Tensor a = dropout_(tanh(attentional(concat({seen.context, h}, -1))), pass);
  return {output(a), seen.weights, seen.probabilities};
}

Prediction RecurrentDecoder::operator()(const Memory& source, const Ids& target, const Pass& pass) const {
  check_batch("RecurrentDecoder", target);
  DecoderState state = start(source);
  const Tensor y = dropout_(embedding(target), pass);
  return read(decoder(y, {}, state.tensors, pass).output, state, pass);
}

Prediction RecurrentDecoder::step(DecoderState& state, const Ids& previous) const {
  const Tensor h = decoder.step(embedding(previous), state.tensors);
  ++state.steps;
  return read(h, state, {});
}

void RecurrentDecoder::visit(const Visitor& visitor) const {
  visitor("embedding", embedding);
  visitor("decoder", decoder);
  for (size_t i = 0; i < bridges.size(); ++i) visitor("bridges." + std::to_string(i), bridges[i]);
  visitor("scorer", *scorer);
  visitor("normalizer", *normalizer);
  visitor("attentional", attentional);
  visitor("output", output);
}

}  // namespace heed::inline HEED_PRECISION
