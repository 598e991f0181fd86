#pragma once

#include <string>

#include "examples/support/command_line.hpp"
#include "examples/support/json.hpp"

namespace heed::examples {

// The options --scorer and --normalizer, with the formula of each of their values in --help.
void add_scorer(CommandLine& line, std::string& scorer, const std::string& help);
void add_normalizer(CommandLine& line, std::string& normalizer, const std::string& help);

// Both, for programs whose models are not chosen by Settings.
struct AttentionChoice {
  std::string scorer, normalizer = "softmax";
};
void add_attention(CommandLine& line, AttentionChoice& choice);
// Into --json's file, under /settings.
void write_settings(Json& json, const AttentionChoice& choice);

}  // namespace heed::examples
