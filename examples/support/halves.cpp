#include "examples/support/halves.hpp"

#include <fmt/format.h>

#include <vector>

#include "autograd/error.hpp"
#include "examples/support/transformer_options.hpp"
#include "layers/models/conv_seq2seq.hpp"
#include "layers/models/hybrid.hpp"

namespace heed::examples {

namespace {

std::unique_ptr<Encoder> rnn_encoder(const Settings& s, int64_t vocabulary, Rng& rng) {
  return std::make_unique<RecurrentEncoder>(RecurrentEncoder::Options{.vocabulary = vocabulary,
                                                                      .cell = cell_of(s),
                                                                      .embed = s.embed,
                                                                      .hidden = s.hidden,
                                                                      .layers = s.layers,
                                                                      .dropout = real(s.dropout)},
                                            rng);
}

std::unique_ptr<Encoder> cnn_encoder(const Settings& s, int64_t vocabulary, Rng& rng) {
  return std::make_unique<ConvEncoder>(ConvEncoder::Options{.vocabulary = vocabulary,
                                                            .embed = s.embed,
                                                            .hidden = s.hidden,
                                                            .layers = s.layers,
                                                            .width = s.width,
                                                            .dropout = real(s.dropout)},
                                       rng);
}

std::unique_ptr<Decoder> rnn_decoder(const Settings& s, int64_t vocabulary, int64_t memory, Rng& rng) {
  return std::make_unique<RecurrentDecoder>(RecurrentDecoder::Options{.vocabulary = vocabulary,
                                                                      .memory = memory,
                                                                      .cell = cell_of(s),
                                                                      .embed = s.embed,
                                                                      .hidden = s.hidden,
                                                                      .layers = s.layers,
                                                                      .scorer = s.scorer,
                                                                      .normalizer = s.normalizer,
                                                                      .temperature = real(s.temperature),
                                                                      .window = s.window,
                                                                      .slots = s.slots,
                                                                      .dropout = real(s.dropout)},
                                            rng);
}

std::unique_ptr<Decoder> cnn_decoder(const Settings& s, int64_t vocabulary, int64_t memory, Rng& rng) {
  return std::make_unique<ConvDecoder>(ConvDecoder::Options{.vocabulary = vocabulary,
                                                            .memory = memory,
                                                            .embed = s.embed,
                                                            .hidden = s.hidden,
                                                            .layers = s.layers,
                                                            .width = s.width,
                                                            .dropout = real(s.dropout)},
                                       rng);
}

std::unique_ptr<Encoder> transformer_encoder(const Settings& s, int64_t vocabulary, Rng& rng) {
  return std::make_unique<TransformerEncoder>(transformer_options(s, vocabulary), rng);
}

std::unique_ptr<Decoder> transformer_decoder(const Settings& s, int64_t vocabulary, int64_t memory,
                                             Rng& rng) {
  return std::make_unique<TransformerDecoder>(transformer_options(s, vocabulary, memory), rng);
}

constexpr KnownEncoder encoders[] = {
    {"rnn", "both directions, over the embedded source", rnn_encoder},
    {"cnn", "gated convolutions, which see --width neighbours a layer (ConvS2S)", cnn_encoder},
    {"transformer", "self-attention", transformer_encoder},
};
constexpr KnownDecoder decoders[] = {
    {"rnn", "its state looks into the memory, in Luong's order", rnn_decoder},
    {"cnn", "causal gated convolutions, every layer of which looks into the memory (ConvS2S)", cnn_decoder},
    {"transformer", "self-attention, every block of which looks into the memory too", transformer_decoder},
};

template <class Known>
const Known& known(const char* flag, std::span<const Known> list, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Known& one : list) {
    if (one.name == name) return one;
    names.emplace_back(one.name);
  }
  fail("{} {}: expected one of {}", flag, name, fmt::join(names, ", "));
}

}  // namespace

std::span<const KnownEncoder> known_encoders() { return encoders; }
std::span<const KnownDecoder> known_decoders() { return decoders; }

Halves halves_of(const Settings& s) {
  if (s.model == "hybrid") return {s.encoder, s.decoder};
  if (s.model == "conv") return {"cnn", "cnn"};
  if (s.model == "transformer") return {"transformer", "transformer"};
  return {};
}

bool has_half(const Settings& settings, std::string_view kind) {
  const Halves halves = halves_of(settings);
  return halves.encoder == kind || halves.decoder == kind;
}

std::unique_ptr<Seq2Seq> make_halves(const Settings& settings, int64_t source_vocabulary,
                                     int64_t target_vocabulary, Rng& rng) {
  const Halves halves = halves_of(settings);
  const KnownDecoder& writes = known("--decoder", known_decoders(), halves.decoder);
  auto encoder = known("--encoder", known_encoders(), halves.encoder).make(settings, source_vocabulary, rng);
  auto decoder = writes.make(settings, target_vocabulary, encoder->size(), rng);
  return std::make_unique<EncoderDecoder>(std::move(encoder), std::move(decoder));
}

}  // namespace heed::examples
