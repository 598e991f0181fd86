#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "examples/support/settings.hpp"
#include "layers/models/encoder_decoder.hpp"

// Encoder-decoders of two halves, each of any kind: --model hybrid --encoder E --decoder D, and the pairs
// that have names of their own.

namespace heed::examples {

// One kind of encoder and one of decoder, in the sizes of the settings.
struct KnownEncoder {
  const char* name;
  const char* formula;  // for --help
  std::unique_ptr<Encoder> (*make)(const Settings& settings, int64_t vocabulary, Rng& rng);
};
struct KnownDecoder {
  const char* name;
  const char* formula;
  std::unique_ptr<Decoder> (*make)(const Settings& settings, int64_t vocabulary, int64_t memory, Rng& rng);
};
std::span<const KnownEncoder> known_encoders();
std::span<const KnownDecoder> known_decoders();

// The names of a model's halves; empty for one that is of one piece.
struct Halves {
  std::string_view encoder, decoder;
};
Halves halves_of(const Settings& settings);
// Whether either half is of this kind.
bool has_half(const Settings& settings, std::string_view kind);

// The two halves as one model. Throws `--encoder x: expected one of ...` on an unknown name.
std::unique_ptr<Seq2Seq> make_halves(const Settings& settings, int64_t source_vocabulary,
                                     int64_t target_vocabulary, Rng& rng);

}  // namespace heed::examples
