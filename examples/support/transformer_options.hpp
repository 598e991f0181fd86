#pragma once

#include "examples/support/settings.hpp"
#include "layers/models/transformer.hpp"

// The options of --model transformer, and of hybrids with such a half.

namespace heed::examples {

void add_transformer_options(CommandLine& line, Settings& settings);
// Throws on those that were given to a model that has no such half, as `model` is called, and on sizes that
// do not fit each other.
void check_transformer_options(const CommandLine& line, const Settings& settings, const std::string& model);
void write_transformer_options(Json& json, const std::string& pointer, const Settings& settings);
void read_transformer_options(const Json& json, const std::string& pointer, Settings& settings);

// Of a half that reads or writes a vocabulary; `memory` is a decoder's alone.
TransformerOptions transformer_options(const Settings& settings, int64_t vocabulary, int64_t memory = 0);

}  // namespace heed::examples
