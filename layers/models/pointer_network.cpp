#include "layers/models/pointer_network.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"
#include "layers/normalizers.hpp"
#include "layers/place.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

PointerNetwork::Options checked(const PointerNetwork::Options& o) {
  if (o.item < 1 || o.hidden < 1) {
    fail("PointerNetwork: item {}, hidden {} must be at least 1", o.item, o.hidden);
  }
  check_place("PointerNetwork", o.scorer, o.normalizer, {.answer = true});
  return o;
}

// Rows `position` of choices (B, 1 + S, I), whose first is `begin`: positions (B, T) -> (B, T, I).
Tensor pointed_at(const Tensor& choices, const Ids& positions) {
  const int64_t batch = choices.size(0), slots = choices.size(1) - 1;
  const int64_t steps = positions.size() / batch;
  Ids rows({batch, steps});
  for (int64_t i = 0; i < rows.size(); ++i) {
    if (positions[i] < -1 || positions[i] >= slots)
      fail("PointerNetwork: position {} at place {} is neither -1 nor in [0, {})", positions[i], i, slots);
    rows.values()[static_cast<size_t>(i)] = static_cast<int32_t>(i / steps * (slots + 1) + 1 + positions[i]);
  }
  return embedding(choices.reshape({-1, choices.size(2)}), rows);
}

// What is fed: C_0 = begin, C_1, .. C_(T-1).
Ids delayed(const Ids& answer) {
  Ids fed(answer.shape());
  const int64_t steps = answer.shape()[1];
  for (int64_t i = 0; i < fed.size(); ++i)
    fed.values()[static_cast<size_t>(i)] = i % steps == 0 ? -1 : answer[i - 1];
  return fed;
}

}  // namespace

PointerNetwork::PointerNetwork(const Options& options, std::unique_ptr<Scorer> scorer, Rng& rng)
    : options_(checked(options)),
      begin_(fan_in_uniform({options_.item}, options_.item, rng)),
      encoder_(Cell::lstm, options_.item, options_.hidden, {}, rng),
      decoder_(Cell::lstm, options_.item, options_.hidden, {}, rng),
      scorer_(std::move(scorer)),
      normalizer_(
          make_normalizer(options_.normalizer, {.query = options_.hidden, .hidden = options_.hidden}, rng)) {
  if (scorer_) return;
  const int64_t h = options_.hidden;
  scorer_ = make_scorer(options_.scorer, {.query = h, .key = h, .hidden = h, .slots = options_.slots}, rng);
}

DecoderState PointerNetwork::start(const Tensor& items, std::span<const int32_t> lengths) const {
  if (items.rank() != 3 || items.size() == 0 || items.size(2) != options_.item) {
    fail("PointerNetwork: items are {}, wants (B, S, {}) with B and S at least 1", items.shape().text(),
         options_.item);
  }
  check_lengths("PointerNetwork", lengths, items.size(0), items.size(1));
  const auto [states, last] = encoder_(items, lengths);  // (B, S, H)
  const Tensor begin = expand(begin_, {items.size(0), 1, options_.item});
  DecoderState state;
  state.memories.push_back(scorer_->prepare(states, items, Mask::of_lengths(lengths)));
  state.tensors.push_back(last[0]);
  state.tensors.push_back(concat({begin, items}, 1));  // (B, 1 + S, I)
  return state;
}

Tensor PointerNetwork::operator()(const Tensor& items, std::span<const int32_t> lengths, const Ids& answer,
                                  const Pass& pass) const {
  DecoderState state = start(items, lengths);
  if (answer.shape().rank() != 2 || answer.shape()[0] != items.size(0) || answer.size() == 0) {
    fail("PointerNetwork: the answer is {}, wants (B, T) with B = {} and T at least 1", answer.shape().text(),
         items.size(0));
  }
  const Tensor d = decoder_(pointed_at(state.tensors[1], delayed(answer)), {}, {state.tensors[0]}).output;
  return attend(d, state.memories[0], *scorer_, *normalizer_, pass).weights;  // (B, T, S)
}

Tensor PointerNetwork::step(DecoderState& state, const Ids& previous) const {
  const int64_t batch = state.memories[0].batch();
  if (previous.shape() != Shape{batch}) {
    fail("PointerNetwork: previous is {}, wants (B) with B = {}", previous.shape().text(), batch);
  }
  Recurrent::States states{state.tensors[0]};
  const Tensor x = pointed_at(state.tensors[1], previous).reshape({batch, options_.item});
  const Tensor d = decoder_.step(x, states);
  state.tensors[0] = states[0];
  ++state.steps;
  return attend(d, state.memories[0], *scorer_, *normalizer_, {}, &state.past).weights;
}

Ids PointerNetwork::greedy(const Tensor& items, std::span<const int32_t> lengths, int64_t steps,
                           bool once) const {
  if (steps < 1) fail("PointerNetwork: {} steps, wants at least 1", steps);
  const NoGrad no_grad;
  DecoderState state = start(items, lengths);
  const int64_t batch = items.size(0), slots = items.size(1);
  std::vector<uint8_t> free(static_cast<size_t>(batch * slots));
  for (int64_t b = 0; b < batch; ++b)
    std::fill_n(free.begin() + b * slots, lengths[static_cast<size_t>(b)], uint8_t{1});
  Ids previous({batch}, std::vector<int32_t>(static_cast<size_t>(batch), -1));
  Ids answer({batch, steps});
  for (int64_t t = 0; t < steps; ++t) {
    previous = argmax(step(state, previous));
    for (int64_t b = 0; b < batch; ++b) {
      answer.values()[static_cast<size_t>(b * steps + t)] = previous[b];
      free[static_cast<size_t>(b * slots + previous[b])] = 0;
    }
    if (once) state.memories[0].mask = Mask::of_bytes(batch, slots, free);
  }
  return answer;
}

void PointerNetwork::visit(const Visitor& visitor) const {
  visitor("begin", begin_);
  visitor("encoder", encoder_);
  visitor("decoder", decoder_);
  visitor("scorer", *scorer_);
  visitor("normalizer", *normalizer_);
}

}  // namespace heed::inline HEED_PRECISION
