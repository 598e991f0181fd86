#pragma once

#include <memory>

#include "layers/models/conv_seq2seq.hpp"
#include "layers/models/hybrid.hpp"

// Small encoder-decoders of two halves, every pair of kinds.

namespace heed::tests {

struct HalfSizes {
  int64_t source_vocabulary, target_vocabulary;
  int64_t embed, hidden;
  int64_t layers = 1;
  Cell cell = Cell::gru;
};

inline std::unique_ptr<Encoder> make_encoder(bool conv, const HalfSizes& o, Rng& rng) {
  if (conv) {
    return std::make_unique<ConvEncoder>(
        ConvEncoder::Options{
            .vocabulary = o.source_vocabulary, .embed = o.embed, .hidden = o.hidden, .layers = o.layers},
        rng);
  }
  return std::make_unique<RecurrentEncoder>(RecurrentEncoder::Options{.vocabulary = o.source_vocabulary,
                                                                      .cell = o.cell,
                                                                      .embed = o.embed,
                                                                      .hidden = o.hidden,
                                                                      .layers = o.layers},
                                            rng);
}

inline std::unique_ptr<Decoder> make_decoder(bool conv, int64_t memory, const HalfSizes& o, Rng& rng) {
  if (conv) {
    return std::make_unique<ConvDecoder>(ConvDecoder::Options{.vocabulary = o.target_vocabulary,
                                                              .memory = memory,
                                                              .embed = o.embed,
                                                              .hidden = o.hidden,
                                                              .layers = o.layers},
                                         rng);
  }
  return std::make_unique<RecurrentDecoder>(RecurrentDecoder::Options{.vocabulary = o.target_vocabulary,
                                                                      .memory = memory,
                                                                      .cell = o.cell,
                                                                      .embed = o.embed,
                                                                      .hidden = o.hidden,
                                                                      .layers = o.layers},
                                            rng);
}

template <class F>
void for_all_halves(const HalfSizes& sizes, F f) {
  for (const bool read : {false, true}) {
    for (const bool write : {false, true}) {
      CAPTURE(read);
      CAPTURE(write);
      Rng rng(1);
      auto encoder = make_encoder(read, sizes, rng);
      auto decoder = make_decoder(write, encoder->size(), sizes, rng);
      f(EncoderDecoder(std::move(encoder), std::move(decoder)));
    }
  }
}

}  // namespace heed::tests
