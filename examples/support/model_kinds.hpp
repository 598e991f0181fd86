#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "examples/support/halves.hpp"
#include "examples/support/settings.hpp"

// The kinds of --model, and which options each has.

namespace heed::examples {

inline std::vector<std::string> models() {
  return {"rnn", "transformer", "conv", "hybrid", "rnnsearch", "rnn-encoder-decoder", "luong2015"};
}

// Whether the model is one of those of layers/models/gated.hpp, which have neither layers nor dropout.
inline bool is_gated(const std::string& model) {
  return model == "rnnsearch" || model == "rnn-encoder-decoder";
}

// Whether it is a RecurrentSeq2Seq: of free choice, or as one paper chose.
inline bool is_recurrent(const std::string& model) { return model == "rnn" || model == "luong2015"; }

// Which options a model has: of recurrent cells, of a recurrent decoder's attention, of two halves.
inline bool has_cell(const Settings& s) { return is_recurrent(s.model) || has_half(s, "rnn"); }
inline bool has_scorer(const Settings& s) { return is_recurrent(s.model) || halves_of(s).decoder == "rnn"; }
// A transformer's embeddings have --hidden features.
inline bool has_embed(const Settings& s) {
  const Halves halves = halves_of(s);
  return halves.encoder != "transformer" || halves.decoder != "transformer";
}
inline bool is_hybrid(const Settings& s) { return s.model == "hybrid"; }

// The most symbols that a trained model can read, and write: those with a parameter per place have an end.
inline int64_t most_read(const Settings& s) {
  int64_t most = CommandLine::any;
  if (has_scorer(s) && s.scorer == "location" && s.order != "none") most = s.slots;
  if (halves_of(s).encoder == "transformer" && s.positions == "learned") most = std::min(most, s.longest);
  return most;
}
inline int64_t most_written(const Settings& s) {
  const bool learned = halves_of(s).decoder == "transformer" && s.positions == "learned";
  const bool placed = is_recurrent(s.model) && s.own_past && s.scorer == "location";
  return learned ? s.longest : placed ? s.slots : CommandLine::any;
}

// The largest sizes that a model may have, by options and in a file.
constexpr int64_t most_features = 1 << 16, most_layers = 100, most_slots = 1 << 20;
constexpr int64_t most_width = 1 << 10;

}  // namespace heed::examples
