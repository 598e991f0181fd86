#include "examples/support/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "autograd/error.hpp"
#include "autograd/kernels/parallel.hpp"
#include "examples/support/attention_options.hpp"
#include "examples/support/files.hpp"
#include "examples/support/halves.hpp"
#include "examples/support/known_option.hpp"
#include "examples/support/model_kinds.hpp"
#include "examples/support/named.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/transformer_options.hpp"
#include "layers/models/recurrent.hpp"
#include "layers/models/rnn_encoder_decoder.hpp"
#include "layers/models/rnnsearch.hpp"
#include "layers/normalizers.hpp"
#include "layers/scorers.hpp"

namespace heed::examples {

namespace {

constexpr Named<Cell> cells[] = {{"gru", Cell::gru}, {"lstm", Cell::lstm}, {"rnn", Cell::rnn}};
constexpr Named<DecoderOrder> orders[] = {{"luong", DecoderOrder::luong},
                                          {"previous", DecoderOrder::previous},
                                          {"input-feeding", DecoderOrder::input_feeding},
                                          {"bahdanau", DecoderOrder::bahdanau},
                                          {"none", DecoderOrder::none}};
using Values = RecurrentSeq2Seq::Values;
constexpr Named<Values> averages[] = {{"states", Values::states}, {"embeddings", Values::embeddings}};

void add_attention_options(CommandLine& line, Settings& s) {
  add_scorer(line, s.scorer, "rnn decoder: how a query q scores a key k");
  add_normalizer(line, s.normalizer, "rnn decoder: how scores become weights");
  line.number("--temperature", s.temperature, "rnn decoder: scores are divided by it first", 1e-6, 1e6);
  line.integer("--window", s.window, "rnn decoder: D of local attention, slots to either side", 0);
}

Settings preset(const Presets& presets, const std::string& model) {
  if (model == "transformer") return presets.transformer;
  Settings s = presets.rnn;
  s.model = model;
  if (model == "conv" || model == "hybrid") {
    s.layers = 2;  // of a decoder of one layer nothing that was read can change the next look
    s.lr = 2e-3;
  }
  if (model == "luong2015") {
    s.cell = "lstm";
    s.scorer = "bilinear";  // his "general"
    s.order = "input-feeding";
    s.values = "states";
    s.own_past = false;
    s.unidirectional = s.no_bridge = true;
  }
  if (!is_gated(model)) return s;
  s.layers = 1;
  s.dropout = 0;
  return s;
}

// Those of Luong et al. 2015, section 3.1.
constexpr std::string_view luong_scorers[] = {"dot", "bilinear", "concat", "concat_linear", "location"};

void add_model_options(CommandLine& line, Settings& s) {
  line.group("the model");
  line.choice(
      "--model", s.model,
      "recurrent with attention (rnn), self-attention throughout (transformer), convolutions (conv: "
      "ConvS2S), any encoder with any decoder (hybrid), Bahdanau's model to the letter (rnnsearch), what "
      "came "
      "before it, without attention (rnn-encoder-decoder), and Luong's model (luong2015), whose scorers and "
      "local attention are options",
      models());
  add_known(line, "--encoder", s.encoder, "hybrid: what reads the source", known_encoders());
  add_known(line, "--decoder", s.decoder, "hybrid: what writes the target", known_decoders());
  line.integer("--hidden", s.hidden, "features of the decoder's state, of the layers", 1, most_features);
  line.integer("--layers", s.layers,
               "but for rnnsearch and its forerunner: of the encoder, and of the decoder", 1, most_layers);
  line.number("--dropout", s.dropout, "as --layers: share of features that training switches off", 0, 0.95);
  line.integer("--width", s.width, "conv, cnn halves: steps that a convolution sees", 1, most_width);
  line.choice("--cell", s.cell, "rnn, rnn halves: the recurrent cell", names_of(cells));
  add_attention_options(line, s);
  line.choice(
      "--order", s.order,
      "rnn: query by the current state, context to the output alone (luong) or into the next step "
      "too (input-feeding); query by the previous state, context to the output alone (previous) or into "
      "the state (bahdanau); no attention, the encoder's last "
      "state at each step (none)",
      names_of(orders));
  line.choice("--values", s.values, "rnn: what is averaged, encoder states or source embeddings",
              names_of(averages));
  line.toggle("--own-past", s.own_past, "rnn: attend to the decoder's own earlier states too");
  line.toggle("--unidirectional", s.unidirectional, "rnn: the encoder reads forward alone");
  line.toggle("--no-bridge", s.no_bridge, "rnn: the decoder begins in the encoder's last states themselves");
  line.integer("--embed", s.embed, "not transformer: features of an embedded symbol", 1, most_features);
  add_transformer_options(line, s);
}

void add_training_options(CommandLine& line, Settings& s) {
  line.group("training");
  line.integer("--batch", s.batch, "examples a step", 1, 1 << 20);
  if (s.epochs > 0)
    line.integer("--epochs", s.epochs, "passes over the training data", 1, 100'000);
  else
    line.integer("--steps", s.steps, "training steps", 1);
  line.number("--lr", s.lr, "the highest learning rate (Adam); it falls to 0 at the end", 0, 100);
  line.integer("--warmup", s.warmup, "steps in which it rises from 0", 0);
  line.number(
      "--guided", s.guided,
      "weight of a loss, a mean over all weights, that pulls attention to the diagonal (Tachibana et al.)", 0,
      1e6);
  line.number("--doubly-stochastic", s.doubly_stochastic,
              "weight of a loss that wants each source position seen once in all (Xu et al.)", 0, 1e6);
  line.number("--label-smoothing", s.label_smoothing, "share of the target spread over all symbols", 0, 0.9);
  line.integer("--seed", s.seed, "of everything random", 0, CommandLine::any);
  line.integer("--threads", s.threads, "more than one pays for large models alone; 0: one per core", 0, 1024);
  line.text("--json", s.json, "write all results to this file");
}

void add_beam_options(CommandLine& line, BeamOptions& beam) {
  line.group("decoding");
  line.integer("--beam", beam.width,
               "hypotheses that go on from step to step; 1: greedy, the likeliest alone", 1, 1000);
  line.number("--length-penalty", beam.length_penalty,
              "alpha: log p is divided by ((5 + length) / 6)^alpha, which favours longer answers", 0, 10);
  line.number("--coverage-penalty", beam.coverage_penalty,
              "beta: how much it costs to have looked at a source symbol by less than 1 in all", 0, 10);
}

// Throws on options that the chosen normalizer does not have.
void check_normalizer(const CommandLine& line, const Settings& s) {
  for (const char* flag : {"--scorer", "--normalizer", "--temperature", "--window"})
    if (s.order == "none" && !s.own_past && line.given(flag)) fail("{} does not apply to --order none", flag);
  if (line.given("--temperature") && !reads_temperature(s.normalizer))
    fail("--temperature does not apply to --normalizer {}", s.normalizer);
  if (line.given("--window") && !reads_window(s.normalizer))
    fail("--window does not apply to --normalizer {}, which is not local", s.normalizer);
}

// Throws on losses that the model's attention cannot have.
void check_attention_losses(const CommandLine& line, const Settings& s) {
  for (const char* flag : {"--guided", "--doubly-stochastic"}) {
    if (!line.given(flag)) continue;
    if (s.order == "none") fail("{} does not apply to --order none", flag);
    if (s.model != "rnnsearch" && wants_reward(s.normalizer))
      fail("{} does not apply to --normalizer {}, whose weights have no gradient", flag, s.normalizer);
  }
}

// Throws on options that the chosen model does not have, and on sizes that it cannot have.
void check_applicable(const CommandLine& line, const Settings& s) {
  const bool rnn = is_recurrent(s.model);
  const std::string model =
      is_hybrid(s) ? fmt::format("hybrid --encoder {} --decoder {}", s.encoder, s.decoder) : s.model;
  const auto refuse = [&](bool applies, std::initializer_list<const char*> flags) {
    for (const char* flag : flags)
      if (!applies && line.given(flag)) fail("{} does not apply to --model {}", flag, model);
  };
  refuse(is_hybrid(s), {"--encoder", "--decoder"});
  refuse(s.model != "luong2015" && has_cell(s), {"--cell"});
  refuse(has_scorer(s), {"--scorer", "--normalizer", "--temperature", "--window"});
  refuse(has_half(s, "cnn"), {"--width"});
  refuse(s.model == "rnn", {"--order", "--values", "--own-past", "--unidirectional", "--no-bridge"});
  refuse(rnn || s.model == "rnnsearch", {"--guided", "--doubly-stochastic"});
  refuse(has_embed(s), {"--embed"});
  check_transformer_options(line, s, model);
  refuse(!is_gated(s.model), {"--layers", "--dropout"});
  if (s.model == "luong2015" && std::ranges::find(luong_scorers, s.scorer) == std::end(luong_scorers))
    fail("--scorer {}: expected one of {} for --model luong2015", s.scorer, fmt::join(luong_scorers, ", "));
  check_normalizer(line, s);
  check_attention_losses(line, s);
  check_beam(line, s);
  if (s.order == "none" && line.given("--values")) fail("--values does not apply to --order none");
  if ((rnn ? !s.unidirectional : halves_of(s).encoder == "rnn") && s.hidden % 2 != 0)
    fail("--hidden {}: expected an even number, half for each direction of the encoder", s.hidden);
}

RecurrentSeq2Seq::Options recurrent_options(const Settings& s, int64_t source_vocabulary,
                                            int64_t target_vocabulary) {
  const RecurrentSeq2Seq::Options o{.source_vocabulary = source_vocabulary,
                                    .target_vocabulary = target_vocabulary,
                                    .cell = cell_of(s),
                                    .embed = s.embed,
                                    .hidden = s.hidden,
                                    .layers = s.layers,
                                    .scorer = s.scorer,
                                    .normalizer = s.normalizer,
                                    .temperature = real(s.temperature),
                                    .window = s.window,
                                    .order = value_of("--order", orders, s.order),
                                    .values = value_of("--values", averages, s.values),
                                    .dropout = real(s.dropout),
                                    .bidirectional = !s.unidirectional,
                                    .bridge = !s.no_bridge,
                                    .own_past = s.own_past,
                                    .slots = s.slots};
  return s.model == "luong2015" ? luong2015(o) : o;
}

}  // namespace

bool parse_settings(CommandLine& line, Settings& settings, const Presets& presets, int argc,
                    const char* const* argv) {
  settings = preset(presets, peek(argc, argv, "--model", presets.rnn.model));
  add_model_options(line, settings);
  add_training_options(line, settings);
  add_beam_options(line, settings.beam);
  if (!line.parse(argc, argv)) return false;
  check_applicable(line, settings);
  check_json(settings.json);
  if (settings.threads > 0) kernels::set_threads(int(settings.threads));
  return true;
}

void check_beam(const CommandLine& line, const Settings& s) {
  for (const char* flag : {"--length-penalty", "--coverage-penalty"})
    if (line.given(flag) && s.beam.width == 1) fail("{} does not apply to --beam 1, which is greedy", flag);
  if (!line.given("--coverage-penalty")) return;
  if (s.model == "rnn-encoder-decoder") fail("--coverage-penalty does not apply to --model {}", s.model);
  if (s.model == "rnn" && s.order == "none") fail("--coverage-penalty does not apply to --order none");
}

Cell cell_of(const Settings& settings) { return value_of("--cell", cells, settings.cell); }

void check_json(const std::string& path) {
  if (!path.empty()) check_writable("--json", path);
}

int64_t longest_answer(int64_t source, int64_t target) { return std::max(2 * source + 10, target + 11); }

void make_room(Settings& s, size_t source, size_t target) {
  const int64_t answer = longest_answer(int64_t(source), int64_t(target));
  s.slots = std::max(s.slots, s.own_past ? answer : int64_t(source));
  s.longest = std::max(s.longest, answer + 1);  // with bos
}

std::unique_ptr<Seq2Seq> make_model(const Settings& s, int64_t source_vocabulary, int64_t target_vocabulary) {
  Rng rng = draw_from(Stream::weights, s.seed);
  if (is_recurrent(s.model))
    return std::make_unique<RecurrentSeq2Seq>(recurrent_options(s, source_vocabulary, target_vocabulary),
                                              rng);
  if (s.model == "rnnsearch")
    return std::make_unique<RnnSearch>(RnnSearch::Options{.source_vocabulary = source_vocabulary,
                                                          .target_vocabulary = target_vocabulary,
                                                          .embed = s.embed,
                                                          .hidden = s.hidden},
                                       rng);
  if (s.model == "rnn-encoder-decoder")
    return std::make_unique<RnnEncoderDecoder>(
        RnnEncoderDecoder::Options{.source_vocabulary = source_vocabulary,
                                   .target_vocabulary = target_vocabulary,
                                   .embed = s.embed,
                                   .hidden = s.hidden},
        rng);
  if (halves_of(s).encoder.empty())
    fail("--model {}: expected one of {}", s.model, fmt::join(models(), ", "));
  return make_halves(s, source_vocabulary, target_vocabulary, rng);
}

}  // namespace heed::examples
