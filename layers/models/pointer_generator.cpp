#include "layers/models/pointer_generator.hpp"

#include <limits>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/models/tokens.hpp"
#include "layers/normalizers.hpp"
#include "layers/place.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

// Refuses what cannot be built, before any layer is.
PointerGenerator::Options checked(const PointerGenerator::Options& o) {
  if (o.vocabulary <= tokens::unk) {
    fail("PointerGenerator: a vocabulary of {} has no unk, token {}", o.vocabulary, tokens::unk);
  }
  if (o.embed < 1 || o.hidden < 1) {
    fail("PointerGenerator: embed {}, hidden {} must be at least 1", o.embed, o.hidden);
  }
  if (o.hidden % 2 != 0) {
    fail("PointerGenerator: hidden {} is odd; each direction of the encoder takes half of it", o.hidden);
  }
  if (o.extended < 0) fail("PointerGenerator: extended {} must not be negative", o.extended);
  check_place("PointerGenerator", o.scorer, o.normalizer, {});
  return o;
}

Tensor one_step(const Tensor& x) { return x.reshape({x.size(0), 1, x.size(1)}); }

}  // namespace

PointerGenerator::PointerGenerator(const Options& options, Rng& rng)
    : options_(checked(options)),
      embedding_(options_.vocabulary, options_.embed, rng),
      encoder_(options_.cell, options_.embed, options_.hidden / 2, {.bidirectional = true}, rng),
      decoder_(options_.cell, options_.embed, options_.hidden, {}, rng),
      bridge_(options_.hidden, state_parts(options_.cell) * options_.hidden, rng),
      scorer_(make_scorer(options_.scorer,
                          {.query = options_.hidden,
                           .key = options_.hidden,
                           .hidden = options_.hidden,
                           .slots = options_.slots},
                          rng)),
      normalizer_(
          make_normalizer(options_.normalizer, {.query = options_.hidden, .hidden = options_.hidden}, rng)),
      inner_(2 * options_.hidden, options_.hidden, rng),
      output_(options_.hidden, options_.vocabulary, rng) {
  if (options_.coverage) coverage_ = std::make_unique<Coverage>(*scorer_, options_.hidden, rng);
  if (options_.pointer) generates_ = std::make_unique<Linear>(2 * options_.hidden + options_.embed, 1, rng);
}

Tensor PointerGenerator::read(const Ids& ids) const {
  const auto known = static_cast<int32_t>(options_.vocabulary);
  const auto all = static_cast<int32_t>(options_.vocabulary + options_.extended);
  Ids words = ids;
  for (int32_t& id : words.values()) {
    if (id < 0 || id >= all) {
      fail("PointerGenerator: token {} is outside [0, {}), {} words and {} temporary ids", id, all, known,
           options_.extended);
    }
    if (id >= known) id = tokens::unk;
  }
  return embedding_(words);
}

DecoderState PointerGenerator::start(const Ids& source, std::span<const int32_t> lengths) const {
  check_batch("PointerGenerator", source, lengths);
  const auto [states, last] = encoder_(read(source), lengths);  // (B, S, H)
  const Tensor ends =
      concat({hidden_part(options_.cell, last[0]), hidden_part(options_.cell, last[1])}, 1);  // (B, H)
  DecoderState state;
  state.past.keep_coverage = coverage_ != nullptr;
  state.memories.push_back(scorer_->prepare(states, states, Mask::of_lengths(lengths)));
  state.tensors.push_back(tanh(bridge_(ends)));
  state.source = source;
  return state;
}

Attended PointerGenerator::look(const Tensor& s, DecoderState& state, const Pass& pass) const {
  if (!coverage_) return attend(s, state.memories[0], *scorer_, *normalizer_, pass, &state.past);
  TensorList contexts, weights;
  for (int64_t t = 0; t < s.size(1); ++t) {
    const Memory covered = (*coverage_)(state.memories[0], state.past);
    const Attended seen = attend(select(s, 1, t), covered, *scorer_, *normalizer_, pass, &state.past);
    contexts.push_back(seen.context);
    weights.push_back(seen.weights);
  }
  const Tensor all = stack(weights, 1);
  return {stack(contexts, 1), all, all};
}

Tensor PointerGenerator::generates(const Tensor& context, const Tensor& s, const Tensor& x) const {
  if (!generates_) fail("PointerGenerator: without a pointer there is no p_gen");
  return sigmoid((*generates_)(concat({context, s, x}, -1)));
}

Tensor PointerGenerator::mix(const Attended& seen, const Tensor& s, const Tensor& x,
                             const Ids& source) const {
  const Tensor vocabulary = softmax(output_(inner_(concat({s, seen.context}, -1))));  // (B, T, V)
  Tensor p = pad(vocabulary, -1, 0, options_.extended);                               // (B, T, V + X)
  if (options_.pointer) {
    const Tensor generate = generates(seen.context, s, x);  // (B, T, 1)
    const Tensor copied = scatter_sum(seen.weights, source, options_.vocabulary + options_.extended);
    p = generate * p + (shift(-generate, 1)) * copied;
  }
  using Limits = std::numeric_limits<real>;
  return log(clamp(p, Limits::min(), Limits::infinity()));
}

Prediction PointerGenerator::operator()(const Ids& source, std::span<const int32_t> lengths,
                                        const Ids& target, const Pass& pass) const {
  check_batch("PointerGenerator", target);
  DecoderState state = start(source, lengths);
  const Tensor x = read(target);                                // (B, T, embed)
  const Tensor s = decoder_(x, {}, {state.tensors[0]}).output;  // (B, T, H)
  const Attended seen = look(s, state, pass);
  return {mix(seen, s, x, source), seen.weights};
}

Prediction PointerGenerator::step(DecoderState& state, const Ids& previous) const {
  Recurrent::States states{state.tensors[0]};
  const Tensor x = read(previous);
  const Tensor s = one_step(decoder_.step(x, states));
  state.tensors[0] = states[0];
  ++state.steps;
  const Attended seen = look(s, state, {});
  const Tensor log_p = mix(seen, s, one_step(x), state.source);
  return {select(log_p, 1, 0), select(seen.weights, 1, 0)};
}

void PointerGenerator::visit(const Visitor& visitor) const {
  visitor("embedding", embedding_);
  visitor("encoder", encoder_);
  visitor("decoder", decoder_);
  visitor("bridge", bridge_);
  visitor("scorer", *scorer_);
  visitor("normalizer", *normalizer_);
  if (coverage_) visitor("coverage", *coverage_);
  visitor("inner", inner_);
  visitor("output", output_);
  if (generates_) visitor("generates", *generates_);
}

}  // namespace heed::inline HEED_PRECISION
