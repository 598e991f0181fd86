#pragma once

#include <memory>

#include "layers/models/conv_seq2seq.hpp"
#include "layers/models/hybrid.hpp"
#include "layers/models/transformer.hpp"

// Small encoder-decoders of two halves, every pair of kinds.

namespace heed::tests {

struct HalfSizes {
  int64_t source_vocabulary, target_vocabulary;
  int64_t embed, hidden;
  int64_t layers = 1;
  Cell cell = Cell::gru;
};

enum class Half { rnn, cnn, transformer };

inline TransformerOptions transformer_half(const HalfSizes& o) {
  return {.source_vocabulary = o.source_vocabulary,
          .target_vocabulary = o.target_vocabulary,
          .size = o.hidden,
          .layers = o.layers,
          .heads = 2,
          .activation = Activation::gelu};
}

inline std::unique_ptr<Encoder> make_encoder(Half kind, const HalfSizes& o, Rng& rng) {
  if (kind == Half::transformer) return std::make_unique<TransformerEncoder>(transformer_half(o), rng);
  if (kind == Half::cnn) {
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

inline std::unique_ptr<Decoder> make_decoder(Half kind, int64_t memory, const HalfSizes& o, Rng& rng) {
  if (kind == Half::transformer) {
    TransformerOptions options = transformer_half(o);
    options.memory = memory;
    return std::make_unique<TransformerDecoder>(options, rng);
  }
  if (kind == Half::cnn) {
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
  constexpr Half kinds[] = {Half::rnn, Half::cnn, Half::transformer};
  for (const Half read : kinds) {
    for (const Half write : kinds) {
      CAPTURE(static_cast<int>(read));
      CAPTURE(static_cast<int>(write));
      Rng rng(1);
      auto encoder = make_encoder(read, sizes, rng);
      auto decoder = make_decoder(write, encoder->size(), sizes, rng);
      f(EncoderDecoder(std::move(encoder), std::move(decoder)));
    }
  }
}

}  // namespace heed::tests
