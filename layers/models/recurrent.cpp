#include "layers/models/recurrent.hpp"

#include <algorithm>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/normalizers.hpp"
#include "layers/place.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

// Fills in the encoder's width and refuses what cannot be built, before any layer is.
RecurrentSeq2Seq::Options checked(RecurrentSeq2Seq::Options o) {
  if (o.embed < 1 || o.hidden < 1 || o.layers < 1) {
    fail("RecurrentSeq2Seq: embed {}, hidden {}, layers {} must be at least 1", o.embed, o.hidden, o.layers);
  }
  const int64_t directions = o.bidirectional ? 2 : 1;
  if (o.encoder == 0 && o.hidden % directions != 0) {
    fail("RecurrentSeq2Seq: hidden {} is odd; each direction of the encoder takes half of it", o.hidden);
  }
  if (o.encoder == 0) o.encoder = o.hidden / directions;
  if (!o.bridge && o.encoder * directions != o.hidden) {
    fail("RecurrentSeq2Seq: without a bridge the decoder's hidden {} must be the encoder's {} x {}", o.hidden,
         directions, o.encoder);
  }
  if (o.own_past) check_place("RecurrentSeq2Seq's own past", o.scorer, o.normalizer, {.grows = true});
  return o;
}

// The last states of one layer in each direction, (B, P E), side by side: (B, P H).
Tensor side_by_side(std::span<const Tensor> ends, Cell cell) {
  const int64_t parts = state_parts(cell), size = ends[0].size(1) / parts;
  TensorList joined;
  for (int64_t p = 0; p < parts; ++p) {
    for (const Tensor& end : ends) joined.push_back(slice(end, 1, p * size, (p + 1) * size));
  }
  return concat(joined, 1);
}

}  // namespace

RecurrentSeq2Seq::RecurrentSeq2Seq(const Options& options, Rng& rng)
    : options_(checked(options)),
      dropout_(options.dropout),
      source_embedding_(options_.source_vocabulary, options_.embed, rng),
      target_embedding_(options_.target_vocabulary, options_.embed, rng),
      encoder_(
          options_.cell, options_.embed, options_.encoder,
          {.layers = options_.layers, .bidirectional = options_.bidirectional, .dropout = options_.dropout},
          rng),
      decoder_(options_.cell, decoder_input(), options_.hidden,
               {.layers = options_.layers, .dropout = options_.dropout}, rng),
      scorer_(make_source_scorer(rng)),
      normalizer_(make_own_normalizer(rng)),
      past_scorer_(make_past_scorer(rng)),
      past_normalizer_(options_.own_past ? make_own_normalizer(rng) : nullptr),
      attentional_(context_size() + (options_.own_past ? 2 : 1) * options_.hidden, options_.hidden, rng,
                   {.bias = options_.order == DecoderOrder::bahdanau}),
      output_(options_.hidden, options_.target_vocabulary, rng) {
  if (!options_.bridge) return;
  for (int64_t layer = 0; layer < options_.layers; ++layer) {
    bridges_.emplace_back(encoder_size(), state_parts(options_.cell) * options_.hidden, rng);
  }
}

std::unique_ptr<Scorer> RecurrentSeq2Seq::make_source_scorer(Rng& rng) const {
  if (options_.order == DecoderOrder::none) return nullptr;
  const int64_t hidden = options_.hidden;
  return make_scorer(options_.scorer,
                     {.query = hidden, .key = encoder_size(), .hidden = hidden, .slots = options_.slots},
                     rng);
}

std::unique_ptr<Scorer> RecurrentSeq2Seq::make_past_scorer(Rng& rng) const {
  if (!options_.own_past) return nullptr;
  const int64_t hidden = options_.hidden;
  return make_scorer(options_.scorer,
                     {.query = hidden, .key = hidden, .hidden = hidden, .slots = options_.slots}, rng);
}

std::unique_ptr<Normalizer> RecurrentSeq2Seq::make_own_normalizer(Rng& rng) const {
  return make_normalizer(options_.normalizer,
                         {.query = options_.hidden,
                          .hidden = options_.hidden,
                          .temperature = options_.temperature,
                          .window = options_.window},
                         rng);
}

int64_t RecurrentSeq2Seq::encoder_size() const { return (options_.bidirectional ? 2 : 1) * options_.encoder; }

int64_t RecurrentSeq2Seq::context_size() const {
  if (options_.order == DecoderOrder::none) return options_.hidden;
  return options_.values == Values::states ? encoder_size() : options_.embed;
}

int64_t RecurrentSeq2Seq::decoder_input() const {
  switch (options_.order) {
    case DecoderOrder::luong:
    case DecoderOrder::previous:
      return options_.embed;
    case DecoderOrder::input_feeding:
      return options_.embed + options_.hidden;
    case DecoderOrder::bahdanau:
    case DecoderOrder::none:
      return options_.embed + context_size();
  }
  fail("RecurrentSeq2Seq: {} is no decoder order", static_cast<int>(options_.order));
}

DecoderState RecurrentSeq2Seq::encode(const Tensor& source, std::span<const int32_t> lengths,
                                      const Pass& pass) const {
  const Tensor embedded = dropout_(source, pass);                     // (B, S, embed)
  const auto [states, last] = encoder_(embedded, lengths, {}, pass);  // (B, S, 2E)
  DecoderState state;
  if (scorer_) {
    const Tensor& values = options_.values == Values::states ? states : embedded;
    state.memories.push_back(scorer_->prepare(states, values, Mask::of_lengths(lengths)));
  }
  if (past_scorer_) state.memories.emplace_back();  // nothing yet
  const size_t directions = options_.bidirectional ? 2 : 1;
  for (size_t first = 0; first < last.size(); first += directions) {
    const std::span<const Tensor> ends(last.data() + first, directions);  // of one layer
    if (bridges_.empty()) {
      state.tensors.push_back(side_by_side(ends, options_.cell));
      continue;
    }
    TensorList h;
    for (const Tensor& end : ends) h.push_back(hidden_part(options_.cell, end));
    state.tensors.push_back(tanh(bridges_[first / directions](concat(h, 1))));  // (B, P H)
  }
  if (options_.order == DecoderOrder::input_feeding) {
    state.tensors.push_back(Tensor::zeros({source.size(0), options_.hidden}));
  }
  if (options_.order == DecoderOrder::none) {
    const Tensor slot = hidden_part(options_.cell, state.tensors.back()).reshape({-1, 1, options_.hidden});
    state.memories.insert(state.memories.begin(), {slot, slot});
  }
  return state;
}

Attended RecurrentSeq2Seq::look(const Tensor& query, DecoderState& state, const Pass& pass) const {
  if (scorer_) return attend(query, state.memories[0], *scorer_, *normalizer_, pass, &state.past);
  const Tensor& slot = state.memories[0].values;  // (B, 1, H)
  if (query.rank() == 2) return {select(slot, 1, 0), {}, {}};
  return {expand(slot, {slot.size(0), query.size(1), slot.size(2)}), {}, {}};
}

Tensor RecurrentSeq2Seq::look_back(const Tensor& h, DecoderState& state, const Pass& pass) const {
  Memory& past = state.memories.back();
  if (h.rank() == 3) {  // query t sees the states before its own: slots up to t - 1
    past = past_scorer_->prepare(h, h, Mask().causal(-1));
    return attend(h, past, *past_scorer_, *past_normalizer_, pass).context;
  }
  const Tensor slot = h.reshape({h.size(0), 1, h.size(1)});
  Tensor context = zeros_like(h);
  Past before{.steps = state.steps};  // all that goes with a memory that grows
  if (past.slots() > 0) context = attend(h, past, *past_scorer_, *past_normalizer_, pass, &before).context;
  past.append(past_scorer_->prepare(slot, slot));
  return context;
}

Tensor RecurrentSeq2Seq::readout(const Tensor& context, const Tensor& h, DecoderState& state,
                                 const Pass& pass) const {
  TensorList parts{context};
  if (past_scorer_) parts.push_back(look_back(h, state, pass));
  parts.push_back(h);
  return dropout_(tanh(attentional_(concat(parts, -1))), pass);
}

Recurrent::States RecurrentSeq2Seq::layer_states(const DecoderState& state) const {
  return {state.tensors.begin(), state.tensors.begin() + options_.layers};
}

RecurrentSeq2Seq::Step RecurrentSeq2Seq::advance(DecoderState& state, const Tensor& y,
                                                 const Pass& pass) const {
  Recurrent::States states = layer_states(state);
  const DecoderOrder order = options_.order;
  Attended seen;
  Tensor h;
  if (order == DecoderOrder::bahdanau || order == DecoderOrder::none) {
    seen = look(hidden_part(options_.cell, states.back()), state, pass);
    h = decoder_.step(concat({y, seen.context}, 1), states, pass);
  } else if (order == DecoderOrder::previous) {
    seen = look(hidden_part(options_.cell, states.back()), state, pass);
    h = decoder_.step(y, states, pass);
  } else {
    h = decoder_.step(order == DecoderOrder::luong ? y : concat({y, state.tensors.back()}, 1), states, pass);
    seen = look(h, state, pass);
  }
  const Tensor attentional = readout(seen.context, h, state, pass);
  std::ranges::copy(states, state.tensors.begin());
  if (order == DecoderOrder::input_feeding) state.tensors.back() = attentional;
  ++state.steps;
  return {attentional, seen};
}

Prediction RecurrentSeq2Seq::operator()(const Ids& source, std::span<const int32_t> lengths,
                                        const Ids& target, const Pass& pass) const {
  check_batch("RecurrentSeq2Seq", source, lengths);
  return from_embedded(source_embedding_(source), lengths, target, pass);
}

Prediction RecurrentSeq2Seq::from_embedded(const Tensor& embedded, std::span<const int32_t> lengths,
                                           const Ids& target, const Pass& pass) const {
  check_batch("RecurrentSeq2Seq", target);
  DecoderState state = encode(embedded, lengths, pass);
  const Tensor y = dropout_(target_embedding_(target), pass);  // (B, T, embed)
  const bool fixed = options_.order == DecoderOrder::none;
  const bool previous = options_.order == DecoderOrder::previous;
  if (fixed || previous || options_.order == DecoderOrder::luong) {
    const Tensor input = fixed ? concat({y, look(y, state, pass).context}, 2) : y;
    const Tensor h = decoder_(input, {}, layer_states(state), pass).output;  // (B, T, H)
    Tensor query = h;
    if (previous) {  // s_0, .. s_(T-1)
      const Tensor first = hidden_part(options_.cell, layer_states(state).back());
      query = slice(concat({first.reshape({-1, 1, options_.hidden}), h}, 1), 1, 0, h.size(1));
    }
    const Attended seen = look(query, state, pass);
    return {output_(readout(seen.context, h, state, pass)), seen.weights, seen.probabilities};
  }
  TensorList attentional, weights, probabilities;
  for (int64_t t = 0; t < target.shape()[1]; ++t) {
    const Step step = advance(state, select(y, 1, t), pass);
    attentional.push_back(step.attentional);
    weights.push_back(step.seen.weights);
    probabilities.push_back(step.seen.probabilities);
  }
  return {output_(stack(attentional, 1)), stack(weights, 1), stack(probabilities, 1)};
}

DecoderState RecurrentSeq2Seq::start(const Ids& source, std::span<const int32_t> lengths) const {
  check_batch("RecurrentSeq2Seq", source, lengths);
  return encode(source_embedding_(source), lengths, {});
}

Prediction RecurrentSeq2Seq::step(DecoderState& state, const Ids& previous) const {
  const Step step = advance(state, target_embedding_(previous), {});
  return {output_(step.attentional), step.seen.weights, step.seen.probabilities};
}

void RecurrentSeq2Seq::visit(const Visitor& visitor) const {
  visitor("source_embedding", source_embedding_);
  visitor("target_embedding", target_embedding_);
  visitor("encoder", encoder_);
  visitor("decoder", decoder_);
  for (size_t i = 0; i < bridges_.size(); ++i) visitor("bridges." + std::to_string(i), bridges_[i]);
  if (scorer_) {
    visitor("scorer", *scorer_);
    visitor("normalizer", *normalizer_);
  }
  if (past_scorer_) {
    visitor("past_scorer", *past_scorer_);
    visitor("past_normalizer", *past_normalizer_);
  }
  visitor("attentional", attentional_);
  visitor("output", output_);
}

RecurrentSeq2Seq::Options luong2015(RecurrentSeq2Seq::Options o) {
  o.cell = Cell::lstm;
  o.order = DecoderOrder::input_feeding;
  o.values = RecurrentSeq2Seq::Values::states;
  o.bidirectional = false;
  o.bridge = false;
  return o;
}

}  // namespace heed::inline HEED_PRECISION
