#include "layers/models/encoder_decoder.hpp"

#include "autograd/error.hpp"

namespace heed::inline HEED_PRECISION {

EncoderDecoder::EncoderDecoder(std::unique_ptr<Encoder> encoder, std::unique_ptr<Decoder> decoder)
    : encoder(std::move(encoder)), decoder(std::move(decoder)) {
  if (!this->encoder || !this->decoder) fail("EncoderDecoder: wants an encoder and a decoder");
}

Prediction EncoderDecoder::operator()(const Ids& source, std::span<const int32_t> lengths, const Ids& target,
                                      const Pass& pass) const {
  check_batch("EncoderDecoder", source, lengths);
  check_batch("EncoderDecoder", target);
  return (*decoder)((*encoder)(source, lengths, pass), target, pass);
}

DecoderState EncoderDecoder::start(const Ids& source, std::span<const int32_t> lengths) const {
  check_batch("EncoderDecoder", source, lengths);
  return decoder->start((*encoder)(source, lengths, {}));
}

Prediction EncoderDecoder::step(DecoderState& state, const Ids& previous) const {
  return decoder->step(state, previous);
}

void EncoderDecoder::visit(const Visitor& visitor) const {
  visitor("encoder", *encoder);
  visitor("decoder", *decoder);
}

}  // namespace heed::inline HEED_PRECISION
