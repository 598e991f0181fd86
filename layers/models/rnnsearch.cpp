#include "layers/models/rnnsearch.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

// Fills in what is 0, and refuses what cannot be built, before any layer is.
RnnSearch::Options checked(RnnSearch::Options o) {
  if (o.alignment == 0) o.alignment = o.hidden;
  if (o.maxout == 0) o.maxout = std::max<int64_t>(o.hidden / 2, 1);
  check_sizes("RnnSearch",
              {{"embed", o.embed}, {"hidden", o.hidden}, {"alignment", o.alignment}, {"maxout", o.maxout}});
  return o;
}

}  // namespace

RnnSearch::RnnSearch(const Options& options, Rng& rng)
    : embedding(options.source_vocabulary, checked(options).embed, rng, real(0.01)),
      encoder_forward({.input = options.embed, .hidden = options.hidden}, rng),
      encoder_backward({.input = options.embed, .hidden = options.hidden}, rng),
      W_s(small_normal({options.hidden, options.hidden}, rng)),
      b_s(constant_init({options.hidden}, 0)),
      scorer({.query = options.hidden, .key = 2 * options.hidden, .hidden = checked(options).alignment}, rng),
      normalizer({}, rng),
      decoder(decoder_options(checked(options), 2 * options.hidden), rng) {
  scorer.query.weight = normal_init(scorer.query.weight.shape(), real(0.001), rng);
  scorer.key.weight = normal_init(scorer.key.weight.shape(), real(0.001), rng);
  scorer.v = constant_init(scorer.v.shape(), 0);
}

DecoderState RnnSearch::start(const Ids& source, std::span<const int32_t> lengths) const {
  check_batch("RnnSearch", source, lengths);
  const Tensor x = embedding(source);                                             // (B, S, m)
  const Tensor back = encoder_backward.run(x, lengths, true);                     // (B, S, H)
  const Tensor annotations = concat({encoder_forward.run(x, lengths), back}, 2);  // (B, S, 2H)
  DecoderState state;
  state.memories.push_back(scorer.prepare(annotations, annotations, Mask::of_lengths(lengths)));
  state.tensors.push_back(tanh(linear(select(back, 1, 0), W_s, b_s)));
  return state;
}

RnnSearch::Step RnnSearch::advance(DecoderState& state, const Tensor& from_y, const Pass& pass) const {
  const Tensor s = state.tensors[0];
  const Attended seen = attend(s, state.memories[0], scorer, normalizer, pass, &state.past);
  state.tensors[0] = decoder.cell(from_y, decoder.cell.read_context(seen.context), s);
  ++state.steps;
  return {decoder.options.current ? state.tensors[0] : s, seen.context, seen.weights};
}

Prediction RnnSearch::operator()(const Ids& source, std::span<const int32_t> lengths, const Ids& target,
                                 const Pass& pass) const {
  check_batch("RnnSearch", target);
  DecoderState state = start(source, lengths);
  const Tensor y = decoder.embedding(target);  // (B, T, m)
  const Tensor from_y = decoder.cell.read(y);  // (B, T, 3H)
  TensorList states, contexts, weights;
  for (int64_t t = 0; t < target.shape()[1]; ++t) {
    const Step step = advance(state, select(from_y, 1, t), pass);
    states.push_back(step.s_o);
    contexts.push_back(step.context);
    weights.push_back(step.weights);
  }
  return {decoder.readout(stack(states, 1), y, stack(contexts, 1)), stack(weights, 1)};
}

Prediction RnnSearch::step(DecoderState& state, const Ids& previous) const {
  const Tensor y = decoder.embedding(previous);  // (B, m)
  const Step step = advance(state, decoder.cell.read(y), {});
  return {decoder.readout(step.s_o, y, step.context), step.weights};
}

void RnnSearch::visit(const Visitor& visitor) const {
  visitor("embedding", embedding);
  visitor("encoder_forward", encoder_forward);
  visitor("encoder_backward", encoder_backward);
  visitor("W_s", W_s);
  visitor("b_s", b_s);
  visitor("scorer", scorer);
  visitor("decoder", decoder);
}

}  // namespace heed::inline HEED_PRECISION
