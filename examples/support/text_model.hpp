#pragma once

#include <span>
#include <string>
#include <vector>

#include "examples/support/command_line.hpp"
#include "examples/support/json.hpp"
#include "examples/support/text.hpp"
#include "layers/models/sampling.hpp"
#include "layers/models/transformer_lm.hpp"

// The parts of the program language_model: its settings, training, evaluation, what it writes.

namespace heed::examples {

struct TextSettings {
  // the model
  int64_t size = 128, layers = 4, heads = 4, kv_heads = 0, block = 64, reach = 16;
  std::string positions = "learned", norm = "layer", activation = "gelu";
  bool bias = false, untied = false;
  double dropout = 0;
  // training
  int64_t batch = 12, accumulate = 1, steps = 1000, warmup = 100, seed = 1, threads = 0;
  std::string schedule = "cosine";
  double lr = 1e-3, lowest_lr = 1e-4, weight_decay = 0.1, beta2 = 0.99, label_smoothing = 0;
  int64_t every = 250;  // steps from one look at the validation text to the next
  std::string json = {};
};

// The settings of that name, to begin with; throws `--preset x: expected one of ...`.
TextSettings text_preset(const std::string& name);
std::vector<std::string> text_presets();
void add_text_options(CommandLine& line, TextSettings& settings);
// After parsing: throws on sizes that do not fit each other, on options without effect, and when --json
// cannot be written; applies
// --threads.
void apply(const CommandLine& line, const TextSettings& settings);
void write_settings(Json& json, const TextSettings& settings);

TransformerLM make_text_model(const TextSettings& settings, int64_t alphabet);

// The mean over all symbols but the first of -log p(symbol | those before it in its piece of `block`), in
// nats.
double text_loss(const TransformerLM& model, std::span<const int32_t> text, const TextSettings& settings);

// `length` symbols that go on from `prompt`, of at least one. What is more than `block` symbols back is
// forgotten, half a block at a time.
std::vector<int32_t> write_on(const TransformerLM& model, std::vector<int32_t> prompt, int64_t length,
                              int64_t block, const SampleOptions& options, Rng& rng);

struct TextTraining {
  double seconds = 0, tokens_per_second = 0;  // without looking at the validation text
  std::vector<int64_t> steps;                 // after which it was looked at
  std::vector<double> losses;                 // what came, in nats
  std::vector<double> train_losses;           // of every step
};
// AdamW, gradients clipped at norm 1, weights that are matrices decay; the rate rises over `warmup` steps,
// then falls as `schedule` says. Each step takes `accumulate` times `batch` pieces. Every `every` steps it
// prints the losses and 60 symbols of the model's own.
TextTraining train_text_model(const TransformerLM& model, std::span<const int32_t> train,
                              std::span<const int32_t> valid, const Alphabet& alphabet,
                              const TextSettings& settings, bool quiet = false);

// `1.8765 nats, 2.7072 bits a symbol`
std::string loss_text(double nats);

}  // namespace heed::examples
