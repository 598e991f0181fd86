#include "examples/support/tiny.hpp"

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/streams.hpp"
#include "layers/normalizers.hpp"
#include "layers/scorers.hpp"
#include "optim/adam.hpp"

namespace heed::examples {
namespace {

// All sources of 3 symbols: (64, 3).
Ids all_sources() {
  std::vector<int32_t> values;
  constexpr int32_t n = Tiny::symbols;
  for (int32_t a = 0; a < n; ++a)
    for (int32_t b = 0; b < n; ++b)
      for (int32_t c = 0; c < n; ++c) values.insert(values.end(), {a, b, c});
  return {{n * n * n, Tiny::slots}, values};
}

}  // namespace

Tiny::Tiny(const std::string& scorer_name, const std::string& normalizer_name, Rng& rng)
    : source_embedding(symbols, size, rng),
      target_embedding(symbols + 1, size, rng),
      encoder(Cell::gru, size, size, {}, rng),
      decoder(Cell::gru, size, size, {}, rng),
      scorer(make_scorer(scorer_name, {.query = size, .key = size, .hidden = size, .slots = slots}, rng)),
      normalizer(make_normalizer(normalizer_name, {.query = size, .hidden = size, .window = window}, rng)),
      output(2 * size, symbols, rng) {}

Tiny::States Tiny::run(const Ids& source) const {
  const auto [states, last] = encoder(source_embedding(source));
  Ids fed(source.shape());
  for (int64_t i = 0; i < source.size(); ++i) {
    fed.values()[static_cast<size_t>(i)] = i % slots == 0 ? int32_t(begin) : source[i - 1];
  }
  return {states, decoder(target_embedding(fed), {}, last).output};
}

Tensor Tiny::logits(const Tensor& context, const Tensor& state) const {
  return output(concat({context, state}, -1));
}

Tensor Tiny::loss(const Ids& source, const Pass& pass, ReinforceLoss& reinforce) const {
  const States states = run(source);
  const Attended seen =
      attend(states.decoder, scorer->prepare(states.encoder, states.encoder), *scorer, *normalizer, pass);
  const Tensor out = logits(seen.context, states.decoder);
  Tensor loss = cross_entropy(out, source);
  if (seen.weights.needs_grad()) return loss;
  const Ids index({source.shape()[0], slots, 1}, source.values());
  const Tensor reward = gather(log_softmax(out), index).reshape(source.shape());
  const Tensor taught = reinforce(log_probability(seen), entropy(seen.probabilities), reward);
  return loss + scale(taught, real(1) / slots);  // the other is a mean over the time steps
}

void Tiny::visit(const Visitor& visitor) const {
  visitor("source_embedding", source_embedding);
  visitor("target_embedding", target_embedding);
  visitor("encoder", encoder);
  visitor("decoder", decoder);
  visitor("scorer", *scorer);
  visitor("normalizer", *normalizer);
  visitor("output", output);
}

double train(const Tiny& tiny, int64_t steps, int64_t seed) {
  const Ids sources = all_sources();
  Rng rng = draw_from(Stream::dropout, seed);  // of normalizers that draw
  ReinforceLoss reinforce;
  Adam adam(parameters(tiny), {.lr = 2e-2});
  for (int64_t step = 0; step < steps; ++step) {
    adam.zero_grad();
    backward(tiny.loss(sources, {.train = true, .rng = &rng}, reinforce));
    adam.step();
  }
  const NoGrad no_grad;
  const Tiny::States states = tiny.run(sources);
  const Attended seen = attend(states.decoder, tiny.scorer->prepare(states.encoder, states.encoder),
                               *tiny.scorer, *tiny.normalizer);
  const Ids best = argmax(tiny.logits(seen.context, states.decoder));
  int64_t right = 0;
  for (int64_t i = 0; i < best.size(); ++i) right += best[i] == sources[i];
  return static_cast<double>(right) / static_cast<double>(best.size());
}

}  // namespace heed::examples
