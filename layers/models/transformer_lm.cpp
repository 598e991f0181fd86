#include "layers/models/transformer_lm.hpp"

#include <cmath>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

constexpr real stddev = real(0.02);

// GPT-2's beginning of a linear map.
void begin(Linear& linear, real deviation, Rng& rng) {
  linear.weight = normal_init(linear.weight.shape(), deviation, rng);
  if (linear.bias.defined()) linear.bias = constant_init(linear.bias.shape(), 0);
}

TransformerBlocks make_stack(const TransformerLM::Options& o, Rng& rng) {
  TransformerBlocks stack(o.size, o.layers,
                          {.heads = o.heads,
                           .kv_heads = o.kv_heads,
                           .inner = o.inner,
                           .activation = o.activation,
                           .norm = o.norm,
                           .bias = o.bias,
                           .positions = o.positions,
                           .reach = o.reach,
                           .dropout = o.dropout},
                          rng);
  const real ending = stddev / std::sqrt(static_cast<real>(2 * o.layers));
  for (TransformerBlock& block : stack.layers) {
    MultiHeadAttention& attention = block.self_attn;
    attention.in_proj_weight = normal_init(attention.in_proj_weight.shape(), stddev, rng);
    begin(attention.out_proj, ending, rng);
    begin(block.feed_forward.linear1, stddev, rng);
    begin(block.feed_forward.linear2, ending, rng);
  }
  return stack;
}

}  // namespace

TransformerLM::TransformerLM(const Options& options, Rng& rng)
    : input(options.vocabulary, options.size,
            {.positions = options.positions,
             .longest = options.longest,
             .stddev = stddev,
             .dropout = options.dropout},
            rng),
      stack(make_stack(options, rng)),
      output(options.size, options.vocabulary, rng, {.bias = false}) {
  if (options.tied)
    output.weight = input.embedding.weight;
  else
    begin(output, stddev, rng);
}

Tensor TransformerLM::operator()(const Ids& tokens, const Pass& pass, Tensor* weights) const {
  check_batch("TransformerLM", tokens);
  return output(stack(input(tokens, 0, pass), Mask().causal(), {}, pass, weights));
}

DecoderState TransformerLM::start() const {
  DecoderState state{.memories = {}, .tensors = {}};
  state.memories.resize(stack.layers.size());
  return state;
}

Prediction TransformerLM::extend(DecoderState& state, const Ids& tokens) const {
  check_batch("TransformerLM", tokens);
  const Tensor x = stack.extend(input(tokens, state.steps, {}), state.memories, {});  // (B, T, D)
  state.steps += tokens.shape()[1];
  return {output(select(x, 1, x.size(1) - 1)), {}};
}

Prediction TransformerLM::step(DecoderState& state, const Ids& previous) const {
  return extend(state, Ids({previous.size(), 1}, previous.values()));
}

void TransformerLM::visit(const Visitor& visitor) const {
  input.visit(visitor);
  stack.visit(visitor);
  visitor("output", output);
}

}  // namespace heed::inline HEED_PRECISION
