// Learns to write text, symbol by symbol, by self-attention alone, and writes some.
// A Transformer of GPT-2's shape on any text file; without one, on heed's own source code.
//
//   ./dev run language_model [--text FILE | --train FILE --valid FILE] [--preset nanogpt-cpu] [--prompt TEXT]

#include <fmt/format.h>

#include <cmath>

#include "autograd/error.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/text_model.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

struct Options {
  std::string preset = "quick", text = {}, train = {}, valid = {};
  bool bytes = false;
  TextSettings settings;
  std::string prompt = {};
  int64_t length = 500;
  SampleOptions sampling;
  double require = 0;
};

bool parse(Options& o, int argc, char** argv) {
  o.preset = peek(argc, argv, "--preset", o.preset);
  o.settings = text_preset(o.preset);
  CommandLine line("language_model", "Learns to write text, symbol by symbol, and writes some.");
  line.choice("--preset", o.preset, "the settings to begin with; any option changes one", text_presets());
  line.group("the text");
  line.text("--text", o.text, "learn nine tenths of this file, validate on the last tenth");
  line.text("--train", o.train, "learn this file; with --valid");
  line.text("--valid", o.valid, "validate on this one; the alphabet is that of both");
  line.toggle("--bytes", o.bytes, "a symbol is a byte, not a Unicode code point");
  add_text_options(line, o.settings);
  line.group("writing");
  line.text("--prompt", o.prompt, "what the written text begins with; by default the first that was learned");
  line.integer("--length", o.length, "symbols to write at the end", 0, 1'000'000);
  line.number("--temperature", o.sampling.temperature, "below 1 the likely becomes likelier", 1e-6, 1e6);
  line.integer("--top-k", o.sampling.top_k,
               "draw from so many of the likeliest symbols; 1: greedily; 0: from all", 0);
  line.number("--top-p", o.sampling.top_p, "draw from the likeliest that make up this probability", 1e-9, 1);
  line.number("--require", o.require, "status 2 unless the validation loss is at most so many nats; 0: any",
              0, 100);
  if (!line.parse(argc, argv)) return false;
  if (!o.text.empty() && (!o.train.empty() || !o.valid.empty()))
    fail("give either --text F or --train F --valid F");
  if (o.train.empty() != o.valid.empty()) fail("--train and --valid go together");
  apply(line, o.settings);
  return true;
}

struct Texts {
  std::string from;
  Symbols train, valid;
};

Texts read_texts(const Options& o) {
  if (!o.train.empty()) return {o.train, read_symbols(o.train, o.bytes), read_symbols(o.valid, o.bytes)};
  const bool own = o.text.empty();
  Symbols all = own ? symbols_of(own_source("."), o.bytes, "source code") : read_symbols(o.text, o.bytes);
  const auto cut = all.begin() + std::ptrdiff_t(all.size() * 9 / 10);
  return {own ? "heed's own source code" : o.text, {all.begin(), cut}, {cut, all.end()}};
}

int run(int argc, char** argv) {
  Options o;
  if (!parse(o, argc, argv)) return 0;
  const Texts texts = read_texts(o);
  Symbols occurring = texts.train;
  occurring.insert(occurring.end(), texts.valid.begin(), texts.valid.end());
  const Alphabet alphabet(std::move(occurring), o.bytes);
  const std::vector<int32_t> train = alphabet.numbers(texts.train, "--train");
  const std::vector<int32_t> valid = alphabet.numbers(texts.valid, "--valid");
  std::vector<int32_t> prompt = alphabet.numbers(symbols_of(o.prompt, o.bytes, "--prompt"), "--prompt");
  if (prompt.empty() && !train.empty()) prompt.push_back(train[0]);
  if (int64_t(train.size()) <= o.settings.block || valid.size() < 2)
    fail("{}: {} symbols to learn and {} to validate are too few for --block {}", texts.from, train.size(),
         valid.size(), o.settings.block);

  const TransformerLM model = make_text_model(o.settings, alphabet.size());
  fmt::print("language_model: {}, {} symbols to learn, {} to validate, {} different ones\n{} parameters\n",
             texts.from, train.size(), valid.size(), alphabet.size(), parameter_count(model));
  const TextTraining training = train_text_model(model, train, valid, alphabet, o.settings);
  const double loss = training.losses.back();
  const std::span<const int32_t> as_much(train.data(), std::min(train.size(), valid.size()));
  const double learned = text_loss(model, as_much, o.settings);
  fmt::print("trained in {:.1f} s, {:.0f} symbols/s\n\ntrain      {}\nvalidation {}\n", training.seconds,
             training.tokens_per_second, loss_text(learned), loss_text(loss));
  Rng rng = draw_from(Stream::data, o.settings.seed).split(1);
  const std::vector<int32_t> written = write_on(model, prompt, o.length, o.settings.block, o.sampling, rng);
  fmt::print("\n{}{}\n", alphabet.text(prompt), alphabet.text(written));

  Json json;
  write_settings(json, o.settings);
  json.set("/preset", o.preset);
  json.set("/parameters", parameter_count(model));
  json.set("/training/seconds", training.seconds);
  json.set("/training/symbols_per_second", training.tokens_per_second);
  json.set("/training/steps", training.steps);
  json.set("/training/validation_loss", training.losses);
  json.set("/training/losses", training.train_losses);
  json.set("/train_loss", learned);
  json.set("/validation_loss", loss);
  json.set("/validation_bits", loss / std::log(2.0));
  json.set("/written", alphabet.text(written));
  if (!o.settings.json.empty()) json.write(o.settings.json);
  return o.require > 0 && !(loss <= o.require) ? 2 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("language_model", [=] { return run(argc, argv); });
}
