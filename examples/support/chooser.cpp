#include "examples/support/chooser.hpp"

#include "autograd/ops.hpp"
#include "layers/normalizers/softmax.hpp"
#include "layers/normalizers/straight_through.hpp"

namespace heed::examples {

Chooser::Chooser(int64_t vocabulary, int64_t embed, int64_t hidden, Rng& rng)
    : source_embedding_(vocabulary, embed, rng),
      target_embedding_(vocabulary, embed, rng),
      encoder_(embed, hidden, {.bidirectional = true}, rng),
      decoder_(embed, hidden, {}, rng),
      scorer_({.query = hidden, .key = 2 * hidden, .hidden = hidden}, rng),
      attentional_(embed + hidden, hidden, rng),
      output_(hidden, vocabulary, rng) {}

Memory Chooser::read(const Ids& source, std::span<const int32_t> lengths) const {
  check_batch("Chooser", source, lengths);
  const Tensor embedded = source_embedding_(source);         // (B, S, E)
  const Tensor states = encoder_(embedded, lengths).output;  // (B, S, 2H)
  return scorer_.prepare(states, embedded, Mask::of_lengths(lengths));
}

Tensor Chooser::logits(const Tensor& context, const Tensor& query) const {
  return output_(tanh(attentional_(concat({context, query}, -1))));
}

Chooser::Asked Chooser::ask(const Batch& batch) const {
  const Memory memory = read(batch.source, batch.lengths);
  const Tensor query = decoder_(target_embedding_(batch.input)).output;  // (B, T, H)
  return {memory, query, scorer_(query, memory)};
}

Tensor Chooser::log_p(const Asked& asked, const Tensor& context, const Ids& output) const {
  const Shape& q = asked.query.shape();  // (B, T, H)
  if (context.rank() == 3) {
    const Ids index({q[0], q[1], 1}, output.values());
    return gather(log_softmax(logits(context, asked.query)), index).reshape({q[0], q[1]});
  }
  const int64_t slots = context.size(2);
  const Tensor query = expand(asked.query.reshape({q[0], q[1], 1, q[2]}), {q[0], q[1], slots, q[2]});
  Ids index({q[0], q[1], slots, 1});
  for (int64_t i = 0; i < index.size(); ++i) index.values()[size_t(i)] = output[i / slots];
  return gather(log_softmax(logits(context, query)), index).reshape({q[0], q[1], slots});
}

Tensor Chooser::log_p_of_slots(const Asked& asked, const Ids& output) const {
  const Tensor& values = asked.memory.values;  // (B, S, E)
  const int64_t batch = values.size(0), slots = values.size(1), size = values.size(2);
  const Tensor each = values.reshape({batch, 1, slots, size});
  return log_p(asked, expand(each, {batch, asked.query.size(1), slots, size}), output);
}

TensorList Chooser::choosing_parameters() const {
  TensorList all = parameters(scorer_);
  for (const Tensor& parameter : parameters(encoder_)) all.push_back(parameter);
  return all;
}

Prediction Chooser::predict(const Tensor& query, const Memory& memory) const {
  Rng unused;
  const StraightThrough best({}, unused);  // in its forward: all weight on the most probable slot
  const Softmax average;
  const Normalizer& look = hard ? static_cast<const Normalizer&>(best) : average;
  const Attended seen = attend(query, memory, scorer_, look);
  return {logits(seen.context, query), seen.weights};
}

Prediction Chooser::operator()(const Ids& source, std::span<const int32_t> lengths, const Ids& target,
                               const Pass& /*pass*/) const {
  check_batch("Chooser", target);
  return predict(decoder_(target_embedding_(target)).output, read(source, lengths));
}

DecoderState Chooser::start(const Ids& source, std::span<const int32_t> lengths) const {
  DecoderState state;
  state.memories.push_back(read(source, lengths));
  state.tensors = decoder_.start(source.shape()[0]);
  return state;
}

Prediction Chooser::step(DecoderState& state, const Ids& previous) const {
  ++state.steps;
  return predict(decoder_.step(target_embedding_(previous), state.tensors), state.memories[0]);
}

void Chooser::visit(const Visitor& visitor) const {
  visitor("source_embedding", source_embedding_);
  visitor("target_embedding", target_embedding_);
  visitor("encoder", encoder_);
  visitor("decoder", decoder_);
  visitor("scorer", scorer_);
  visitor("attentional", attentional_);
  visitor("output", output_);
}

}  // namespace heed::examples
