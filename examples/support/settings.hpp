#pragma once

#include <memory>
#include <string>

#include "autograd/ops.hpp"
#include "examples/support/command_line.hpp"
#include "examples/support/json.hpp"
#include "layers/models/beam.hpp"

namespace heed::examples {

// What every program lets its user choose.
struct Settings {
  // the model
  std::string model = "rnn";
  std::string encoder = "rnn", decoder = "rnn";    // hybrid alone
  std::string cell = "gru";                        // rnn, and hybrid with such a half
  std::string scorer = "additive";                 // rnn, and hybrid with such a decoder
  std::string normalizer = "softmax";              // as the scorer
  double temperature = 1;                          // as the scorer
  int64_t window = 2;                              // as the scorer
  int64_t slots = 0;                               // as the scorer; no option: the longest source
  std::string order = "luong", values = "states";  // rnn alone
  bool own_past = false, unidirectional = false, no_bridge = false;  // rnn alone
  int64_t width = 3;                                                 // conv, and hybrid with such a half
  int64_t embed = 32;                                                // all but transformer
  // transformer, and hybrid with such a half
  int64_t heads = 4, kv_heads = 0, reach = 16;
  std::string positions = "sinusoidal", norm = "layer", activation = "relu";
  bool post_norm = false;
  int64_t longest = 64;  // of learned positions; no option: what the longest answer may need
  int64_t hidden = 64;
  int64_t layers = 1;  // all but rnnsearch and rnn-encoder-decoder
  double dropout = 0;  // as the layers
  // training
  int64_t batch = 64, steps = 1500, epochs = 0;  // a program counts in one of the two
  double lr = 3e-3, label_smoothing = 0;
  double guided = 0, doubly_stochastic = 0;  // rnn, luong2015, rnnsearch: weights of the losses of that name
  double guidance = 0;  // no option: how much the loss counts how far the weights are from the gold alignment
  int64_t warmup = 0;   // steps
  int64_t seed = 1;
  int64_t threads = 1;  // more do not pay for models of this size, and cost much on a busy machine
  std::string json = {};
  BeamOptions beam{.width = 1};  // how answers are looked for; of width 1: greedily. No part of a saved model
};

// A program's defaults: transformer's, and those of all others, whose --model is the one taken without the
// option. (conv and hybrid take two layers and a lower learning rate than these say.)
struct Presets {
  Settings rnn, transformer;
};

// Adds the options, with the defaults of the model that the arguments name; parses, checks that each fits the
// chosen model and that --json can be written, and applies --threads. False: --help was printed.
bool parse_settings(CommandLine& line, Settings& settings, const Presets& presets, int argc,
                    const char* const* argv);

// Throws on penalties that were given and do not apply: to a beam of width 1, to a model that does not
// attend.
void check_beam(const CommandLine& line, const Settings& settings);

// Throws `--json F: cannot be written` unless F is empty or it can.
void check_json(const std::string& path);

// Into --json's file and what --save keeps; and back, all that was written.
void write_settings(Json& json, const std::string& pointer, const Settings& settings);
Settings read_settings(const Json& json, const std::string& pointer);

// Into --json's file alone.
void write_beam(Json& json, const std::string& pointer, const BeamOptions& beam);
// The value of --cell; throws on an unknown name.
Cell cell_of(const Settings& settings);

// The most symbols that `decode` (train.hpp) lets an answer have, to a source and beside a target of these
// lengths.
int64_t longest_answer(int64_t source, int64_t target);
// Makes room for such a source, target and answer: in --own-past's memory, in learned positions.
void make_room(Settings& settings, size_t source, size_t target);

// A fresh model; its initial parameters follow from the seed.
std::unique_ptr<Seq2Seq> make_model(const Settings& settings, int64_t source_vocabulary,
                                    int64_t target_vocabulary);

}  // namespace heed::examples
