#include "layers/models/rnn_encoder_decoder.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

// Fills in what is 0, and refuses what cannot be built, before any layer is.
RnnEncoderDecoder::Options checked(RnnEncoderDecoder::Options o) {
  if (o.context == 0) o.context = o.hidden;
  if (o.maxout == 0) o.maxout = std::max<int64_t>(o.hidden / 2, 1);
  check_sizes("RnnEncoderDecoder",
              {{"embed", o.embed}, {"hidden", o.hidden}, {"context", o.context}, {"maxout", o.maxout}});
  return o;
}

}  // namespace

RnnEncoderDecoder::RnnEncoderDecoder(const Options& options, Rng& rng)
    : embedding(options.source_vocabulary, checked(options).embed, rng, real(0.01)),
      encoder({.input = options.embed, .hidden = options.hidden}, rng),
      V(small_normal({checked(options).context, options.hidden}, rng)),
      b_V(constant_init({V.size(0)}, 0)),
      V_prime(small_normal({options.hidden, V.size(0)}, rng)),
      b_V_prime(constant_init({options.hidden}, 0)),
      decoder(decoder_options(checked(options), V.size(0)), rng) {}

DecoderState RnnEncoderDecoder::start(const Ids& source, std::span<const int32_t> lengths) const {
  check_batch("RnnEncoderDecoder", source, lengths);
  const int64_t batch = source.shape()[0], slots = source.shape()[1];
  const Tensor h = select(encoder.run(embedding(source), lengths), 1, slots - 1);  // h_N (B, H)
  const Tensor c = tanh(linear(h, V, b_V));                                        // (B, C)
  const Tensor slot = c.reshape({batch, 1, c.size(1)});
  DecoderState state;
  state.memories.push_back({slot, slot});
  state.tensors = {tanh(linear(c, V_prime, b_V_prime))};
  return state;
}

Prediction RnnEncoderDecoder::operator()(const Ids& source, std::span<const int32_t> lengths,
                                         const Ids& target, const Pass& /*pass*/) const {
  check_batch("RnnEncoderDecoder", target);
  const DecoderState state = start(source, lengths);
  const Tensor c = state.memories[0].values;                         // (B, 1, C)
  const Tensor from_c = decoder.cell.read_context(select(c, 1, 0));  // (B, 3H)
  const Tensor y = decoder.embedding(target);                        // (B, T, m)
  const Tensor from_y = decoder.cell.read(y);                        // (B, T, 3H)
  Tensor h = state.tensors[0];
  TensorList seen;  // by the readout
  for (int64_t t = 0; t < target.shape()[1]; ++t) {
    const Tensor next = decoder.cell(select(from_y, 1, t), from_c, h);
    seen.push_back(decoder.options.current ? next : h);
    h = next;
  }
  return {decoder.readout(stack(seen, 1), y, c), {}};
}

Prediction RnnEncoderDecoder::step(DecoderState& state, const Ids& previous) const {
  const Tensor c = select(state.memories[0].values, 1, 0);
  const Tensor y = decoder.embedding(previous);
  const Tensor h = state.tensors[0];
  state.tensors[0] = decoder.cell(decoder.cell.read(y), decoder.cell.read_context(c), h);
  ++state.steps;
  return {decoder.readout(decoder.options.current ? state.tensors[0] : h, y, c), {}};
}

void RnnEncoderDecoder::visit(const Visitor& visitor) const {
  visitor("embedding", embedding);
  visitor("encoder", encoder);
  visitor("V", V);
  visitor("b_V", b_V);
  visitor("V_prime", V_prime);
  visitor("b_V_prime", b_V_prime);
  visitor("decoder", decoder);
}

}  // namespace heed::inline HEED_PRECISION
