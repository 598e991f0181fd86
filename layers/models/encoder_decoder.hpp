#pragma once

#include <memory>

#include "layers/models/seq2seq.hpp"

// An encoder-decoder of two halves that know of each other nothing but a Memory: any encoder (recurrent,
// convolutional, self-attention) goes with any decoder.

namespace heed::inline HEED_PRECISION {

// Reads the source: (B, S) tokens, lengths (B) -> a Memory with keys and values (B, S, D) as they came out of
// the encoder; every layer of a decoder that attends prepares them its own way.
struct Encoder : Module {
  virtual Memory operator()(const Ids& source, std::span<const int32_t> lengths, const Pass& pass) const = 0;
  [[nodiscard]] virtual int64_t size() const = 0;  // D
};

// Writes the target by looking into a Memory. As Seq2Seq, with the memory in the source's place.
struct Decoder : Autoregressive {
  virtual Prediction operator()(const Memory& source, const Ids& target, const Pass& pass) const = 0;
  [[nodiscard]] virtual DecoderState start(const Memory& source) const = 0;
};

// The two, one after the other. Parameters: `encoder.`, `decoder.`.
struct EncoderDecoder : Seq2Seq {
  EncoderDecoder(std::unique_ptr<Encoder> encoder, std::unique_ptr<Decoder> decoder);

  Prediction operator()(const Ids& source, std::span<const int32_t> lengths, const Ids& target,
                        const Pass& pass) const override;
  [[nodiscard]] DecoderState start(const Ids& source, std::span<const int32_t> lengths) const override;
  Prediction step(DecoderState& state, const Ids& previous) const override;
  void visit(const Visitor& visitor) const override;

  std::unique_ptr<Encoder> encoder;
  std::unique_ptr<Decoder> decoder;
};

}  // namespace heed::inline HEED_PRECISION
