#include "layers/models/transformer.hpp"

#include <cmath>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"
#include "layers/positions.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

TransformerSeq2Seq::Options checked(const TransformerSeq2Seq::Options& o) {
  if (o.size < 1 || o.layers < 1 || o.inner < 0) {
    fail("TransformerSeq2Seq: size {}, layers {}, inner {}: wants at least 1, 1, 0", o.size, o.layers,
         o.inner);
  }
  return o;
}

std::vector<TransformerBlock> make_stack(const TransformerSeq2Seq::Options& o, bool source, Rng& rng) {
  std::vector<TransformerBlock> blocks;
  for (int64_t i = 0; i < o.layers; ++i) {
    blocks.emplace_back(o.size,
                        TransformerBlock::Options{.heads = o.heads,
                                                  .inner = o.inner,
                                                  .activation = o.activation,
                                                  .pre_norm = o.pre_norm,
                                                  .source = source,
                                                  .dropout = o.dropout},
                        rng);
    for (Linear* linear : {&blocks.back().feed_forward.linear1, &blocks.back().feed_forward.linear2}) {
      linear->weight = xavier_uniform(linear->weight.shape(), rng);
      linear->bias = constant_init(linear->bias.shape(), 0);
    }
  }
  return blocks;
}

real embedding_deviation(int64_t size) { return 1 / std::sqrt(static_cast<real>(size)); }

}  // namespace

TransformerSeq2Seq::TransformerSeq2Seq(const Options& options, Rng& rng)
    : options_(checked(options)),
      dropout_(options.dropout),
      source_embedding_(options.source_vocabulary, options.size, rng, embedding_deviation(options.size)),
      target_embedding_(options.target_vocabulary, options.size, rng, embedding_deviation(options.size)),
      encoder_(make_stack(options, false, rng)),
      decoder_(make_stack(options, true, rng)),
      output_(options.size, options.target_vocabulary, rng) {
  if (options.pre_norm) {
    encoder_norm_.emplace(options.size);
    decoder_norm_.emplace(options.size);
  }
  if (options.tied) output_.weight = target_embedding_.weight;
}

Tensor TransformerSeq2Seq::embed(const Embedding& table, const Ids& ids, int64_t first,
                                 const Pass& pass) const {
  const Tensor x = scale(table(ids), std::sqrt(static_cast<real>(options_.size)));  // (B, T, D)
  return dropout_(x + sinusoidal_positions(ids.shape()[1], options_.size, first), pass);
}

PoolVector<Memory> TransformerSeq2Seq::encode(const Ids& source, std::span<const int32_t> lengths,
                                              const Pass& pass) const {
  check_batch("TransformerSeq2Seq", source, lengths);
  const Mask mask = Mask::of_lengths(lengths);
  Tensor x = embed(source_embedding_, source, 0, pass);
  for (const TransformerBlock& block : encoder_) x = block(x, mask, nullptr, pass);
  if (encoder_norm_) x = (*encoder_norm_)(x);
  PoolVector<Memory> memories;
  for (const TransformerBlock& block : decoder_) memories.push_back(block.prepare(x, mask));
  return memories;
}

Tensor TransformerSeq2Seq::readout(const Tensor& x) const {
  return output_(decoder_norm_ ? (*decoder_norm_)(x) : x);
}

Prediction TransformerSeq2Seq::operator()(const Ids& source, std::span<const int32_t> lengths,
                                          const Ids& target, const Pass& pass) const {
  check_batch("TransformerSeq2Seq", target);
  const PoolVector<Memory> memories = encode(source, lengths, pass);
  const Mask causal = Mask().causal();
  Tensor x = embed(target_embedding_, target, 0, pass);
  Tensor weights;  // (B, H, T, S)
  for (size_t i = 0; i < decoder_.size(); ++i) {
    const bool wanted = i + 1 == decoder_.size() && !pass.train;
    x = decoder_[i](x, causal, &memories[i], pass, wanted ? &weights : nullptr);
  }
  return {readout(x), weights.defined() ? mean(weights, 1) : weights};
}

DecoderState TransformerSeq2Seq::start(const Ids& source, std::span<const int32_t> lengths) const {
  DecoderState state{.memories = encode(source, lengths, {}), .tensors = {}};
  state.memories.resize(2 * decoder_.size());  // the pasts are empty
  return state;
}

Prediction TransformerSeq2Seq::step(DecoderState& state, const Ids& previous) const {
  const int64_t batch = previous.size();
  const std::span<const int32_t> tokens = previous.values();
  const Ids column({batch, 1}, {tokens.begin(), tokens.end()});
  Tensor x = embed(target_embedding_, column, state.steps, {});
  Tensor weights;  // (B, H, 1, S)
  for (size_t i = 0; i < decoder_.size(); ++i) {
    Memory& past = state.memories[decoder_.size() + i];
    const bool last = i + 1 == decoder_.size();
    x = decoder_[i].extend(x, past, &state.memories[i], {}, last ? &weights : nullptr);
  }
  ++state.steps;
  return {readout(x).reshape({batch, options_.target_vocabulary}),
          mean(weights, 1).reshape({batch, state.memories[0].slots()})};
}

void TransformerSeq2Seq::visit(const Visitor& visitor) const {
  visitor("source_embedding", source_embedding_);
  visitor("target_embedding", target_embedding_);
  const auto stack = [&](const std::string& name, const std::vector<TransformerBlock>& blocks,
                         const std::optional<LayerNorm>& norm) {
    for (size_t i = 0; i < blocks.size(); ++i) visitor(name + ".layers." + std::to_string(i), blocks[i]);
    if (norm) visitor(name + ".norm", *norm);
  };
  stack("encoder", encoder_, encoder_norm_);
  stack("decoder", decoder_, decoder_norm_);
  visitor("output", output_);
}

}  // namespace heed::inline HEED_PRECISION
