#include "layers/models/transformer.hpp"

#include <cmath>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

TokenInput make_input(const TransformerOptions& o, int64_t vocabulary, Rng& rng) {
  if (o.size < 1) fail("Transformer: size {} must be at least 1", o.size);
  const real root = std::sqrt(static_cast<real>(o.size));
  return {vocabulary,
          o.size,
          {.positions = o.positions,
           .longest = o.longest,
           .factor = root,
           .stddev = 1 / root,
           .dropout = o.dropout},
          rng};
}

TransformerBlocks make_stack(const TransformerOptions& o, bool source, Rng& rng) {
  TransformerBlocks stack(o.size, o.layers,
                          {.heads = o.heads,
                           .kv_heads = o.kv_heads,
                           .inner = o.inner,
                           .activation = o.activation,
                           .norm = o.norm,
                           .pre_norm = o.pre_norm,
                           .positions = o.positions,
                           .reach = o.reach,
                           .source = source,
                           .dropout = o.dropout},
                          rng);
  for (TransformerBlock& block : stack.layers)
    for (Linear* linear : {&block.feed_forward.linear1, &block.feed_forward.linear2}) {
      linear->weight = xavier_uniform(linear->weight.shape(), rng);
      linear->bias = constant_init(linear->bias.shape(), 0);
    }
  return stack;
}

}  // namespace

TransformerEncoder::TransformerEncoder(const TransformerOptions& options, Rng& rng)
    : input(make_input(options, options.source_vocabulary, rng)), stack(make_stack(options, false, rng)) {}

Memory TransformerEncoder::operator()(const Ids& source, std::span<const int32_t> lengths,
                                      const Pass& pass) const {
  const Mask mask = Mask::of_lengths(lengths);
  const Tensor states = stack(input(source, 0, pass), mask, {}, pass);  // (B, S, D)
  return {states, states, mask};
}

void TransformerEncoder::visit(const Visitor& visitor) const {
  input.visit(visitor);
  stack.visit(visitor);
}

TransformerDecoder::TransformerDecoder(const TransformerOptions& options, Rng& rng)
    : input(make_input(options, options.target_vocabulary, rng)),
      stack(make_stack(options, true, rng)),
      output(options.size, options.target_vocabulary, rng) {
  if (options.memory != 0 && options.memory != options.size)
    bridge.emplace(options.memory, options.size, rng);
  if (options.tied) output.weight = input.embedding.weight;
}

PoolVector<Memory> TransformerDecoder::prepare(const Memory& source) const {
  if (!bridge) return stack.prepare(source);
  const Tensor keys = (*bridge)(source.keys);
  const bool one = source.keys.data() == source.values.data();
  return stack.prepare({keys, one ? keys : (*bridge)(source.values), source.mask});
}

Prediction TransformerDecoder::operator()(const Memory& source, const Ids& target, const Pass& pass) const {
  Tensor weights;  // (B, H, T, S)
  const Tensor x =
      stack(input(target, 0, pass), Mask().causal(), prepare(source), pass, pass.train ? nullptr : &weights);
  return {output(x), weights.defined() ? mean(weights, 1) : weights};
}

DecoderState TransformerDecoder::start(const Memory& source) const {
  DecoderState state{.memories = prepare(source), .tensors = {}};
  state.memories.resize(2 * stack.layers.size());  // the pasts are empty
  return state;
}

Prediction TransformerDecoder::step(DecoderState& state, const Ids& previous) const {
  const int64_t batch = previous.size();
  const Ids column({batch, 1}, previous.values());
  const std::span<Memory> memories(state.memories);
  Tensor weights;  // (B, H, 1, S)
  const Tensor x = stack.extend(input(column, state.steps, {}), memories.subspan(stack.layers.size()),
                                memories.first(stack.layers.size()), &weights);
  ++state.steps;
  return {select(output(x), 1, 0), select(mean(weights, 1), 1, 0)};
}

void TransformerDecoder::visit(const Visitor& visitor) const {
  input.visit(visitor);
  if (bridge) visitor("bridge", *bridge);
  stack.visit(visitor);
  visitor("output", output);
}

// Braces: the encoder's random numbers are drawn first.
TransformerSeq2Seq::TransformerSeq2Seq(const Options& options, Rng& rng)
    : EncoderDecoder{std::make_unique<TransformerEncoder>(options, rng),
                     std::make_unique<TransformerDecoder>(options, rng)} {}

}  // namespace heed::inline HEED_PRECISION
