#include "layers/models/recurrent.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/normalizers.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

// Fills in the encoder's width and refuses what cannot be built, before any layer is.
RecurrentSeq2Seq::Options checked(RecurrentSeq2Seq::Options o) {
  if (o.embed < 1 || o.hidden < 1 || o.layers < 1) {
    fail("RecurrentSeq2Seq: embed {}, hidden {}, layers {} must be at least 1", o.embed, o.hidden, o.layers);
  }
  if (o.encoder == 0 && o.hidden % 2 != 0) {
    fail("RecurrentSeq2Seq: hidden {} is odd; each direction of the encoder takes half of it", o.hidden);
  }
  if (o.encoder == 0) o.encoder = o.hidden / 2;
  return o;
}

}  // namespace

RecurrentSeq2Seq::RecurrentSeq2Seq(const Options& options, Rng& rng)
    : options_(checked(options)),
      dropout_(options.dropout),
      source_embedding_(options_.source_vocabulary, options_.embed, rng),
      target_embedding_(options_.target_vocabulary, options_.embed, rng),
      encoder_(options_.cell, options_.embed, options_.encoder,
               {.layers = options_.layers, .bidirectional = true, .dropout = options_.dropout}, rng),
      decoder_(options_.cell, decoder_input(), options_.hidden,
               {.layers = options_.layers, .dropout = options_.dropout}, rng),
      scorer_(make_scorer(options_.scorer,
                          {.query = options_.hidden, .key = 2 * options_.encoder, .hidden = options_.hidden},
                          rng)),
      normalizer_(
          make_normalizer(options_.normalizer, {.query = options_.hidden, .hidden = options_.hidden}, rng)),
      attentional_(value_size() + options_.hidden, options_.hidden, rng,
                   {.bias = options_.order == DecoderOrder::bahdanau}),
      output_(options_.hidden, options_.target_vocabulary, rng) {
  for (int64_t layer = 0; layer < options_.layers; ++layer) {
    bridges_.emplace_back(2 * options_.encoder, state_parts(options_.cell) * options_.hidden, rng);
  }
}

int64_t RecurrentSeq2Seq::value_size() const {
  return options_.values == Values::states ? 2 * options_.encoder : options_.embed;
}

int64_t RecurrentSeq2Seq::decoder_input() const {
  switch (options_.order) {
    case DecoderOrder::luong:
      return options_.embed;
    case DecoderOrder::input_feeding:
      return options_.embed + options_.hidden;
    case DecoderOrder::bahdanau:
      return options_.embed + value_size();
  }
  fail("RecurrentSeq2Seq: {} is no decoder order", static_cast<int>(options_.order));
}

DecoderState RecurrentSeq2Seq::encode(const Ids& source, std::span<const int32_t> lengths,
                                      const Pass& pass) const {
  check_batch("RecurrentSeq2Seq", source, lengths);
  const Tensor embedded = dropout_(source_embedding_(source), pass);  // (B, S, embed)
  const auto [states, last] = encoder_(embedded, lengths, {}, pass);  // (B, S, 2E)
  const Tensor& values = options_.values == Values::states ? states : embedded;
  DecoderState state;
  state.memories.push_back(
      scorer_->prepare(states, values, Mask::of_lengths({lengths.begin(), lengths.end()})));
  for (size_t layer = 0; layer < bridges_.size(); ++layer) {
    const Tensor ends =
        concat({hidden_part(options_.cell, last[2 * layer]), hidden_part(options_.cell, last[2 * layer + 1])},
               1);                                         // (B, 2E)
    state.tensors.push_back(tanh(bridges_[layer](ends)));  // (B, P H)
  }
  if (options_.order == DecoderOrder::input_feeding) {
    state.tensors.push_back(Tensor::zeros({source.shape()[0], options_.hidden}));
  }
  return state;
}

Attended RecurrentSeq2Seq::look(const Tensor& query, DecoderState& state, const Pass& pass) const {
  return attend(query, state.memories[0], *scorer_, *normalizer_, pass, &state.past);
}

Tensor RecurrentSeq2Seq::readout(const Tensor& context, const Tensor& h, const Pass& pass) const {
  return dropout_(tanh(attentional_(concat({context, h}, -1))), pass);
}

RecurrentSeq2Seq::Step RecurrentSeq2Seq::advance(DecoderState& state, const Tensor& y,
                                                 const Pass& pass) const {
  Recurrent::States states(state.tensors.begin(), state.tensors.begin() + options_.layers);
  const bool fed = options_.order == DecoderOrder::input_feeding;
  Attended seen;
  Tensor h;
  if (options_.order == DecoderOrder::bahdanau) {
    seen = look(hidden_part(options_.cell, states.back()), state, pass);
    h = decoder_.step(concat({y, seen.context}, 1), states, pass);
  } else {
    h = decoder_.step(fed ? concat({y, state.tensors.back()}, 1) : y, states, pass);
    seen = look(h, state, pass);
  }
  const Tensor attentional = readout(seen.context, h, pass);
  if (fed) states.push_back(attentional);
  state.tensors = std::move(states);
  ++state.steps;
  return {attentional, seen.weights};
}

Prediction RecurrentSeq2Seq::operator()(const Ids& source, std::span<const int32_t> lengths,
                                        const Ids& target, const Pass& pass) const {
  check_batch("RecurrentSeq2Seq", target);
  DecoderState state = encode(source, lengths, pass);
  const Tensor y = dropout_(target_embedding_(target), pass);  // (B, T, embed)
  if (options_.order == DecoderOrder::luong) {
    const Tensor h = decoder_(y, {}, state.tensors, pass).output;  // (B, T, H)
    const Attended seen = look(h, state, pass);
    return {output_(readout(seen.context, h, pass)), seen.weights};
  }
  TensorList attentional, weights;
  for (int64_t t = 0; t < target.shape()[1]; ++t) {
    const Step step = advance(state, select(y, 1, t), pass);
    attentional.push_back(step.attentional);
    weights.push_back(step.weights);
  }
  return {output_(stack(attentional, 1)), stack(weights, 1)};
}

DecoderState RecurrentSeq2Seq::start(const Ids& source, std::span<const int32_t> lengths) const {
  return encode(source, lengths, {});
}

Prediction RecurrentSeq2Seq::step(DecoderState& state, const Ids& previous) const {
  const Step step = advance(state, target_embedding_(previous), {});
  return {output_(step.attentional), step.weights};
}

void RecurrentSeq2Seq::visit(const Visitor& visitor) const {
  visitor("source_embedding", source_embedding_);
  visitor("target_embedding", target_embedding_);
  visitor("encoder", encoder_);
  visitor("decoder", decoder_);
  for (size_t i = 0; i < bridges_.size(); ++i) visitor("bridges." + std::to_string(i), bridges_[i]);
  visitor("scorer", *scorer_);
  visitor("normalizer", *normalizer_);
  visitor("attentional", attentional_);
  visitor("output", output_);
}

}  // namespace heed::inline HEED_PRECISION
