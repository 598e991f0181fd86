#include "examples/support/attention_options.hpp"

#include "examples/support/known_option.hpp"
#include "layers/normalizers.hpp"
#include "layers/scorers.hpp"

namespace heed::examples {

void add_scorer(CommandLine& line, std::string& scorer, const std::string& help) {
  add_known(line, "--scorer", scorer, help, known_scorers());
}

void add_normalizer(CommandLine& line, std::string& normalizer, const std::string& help) {
  add_known(line, "--normalizer", normalizer, help, known_normalizers());
}

void add_attention(CommandLine& line, AttentionChoice& choice) {
  add_scorer(line, choice.scorer, "how a query q scores a key k");
  add_normalizer(line, choice.normalizer, "how scores become weights");
}

void write_settings(Json& json, const AttentionChoice& choice) {
  json.set("/settings/scorer", choice.scorer);
  json.set("/settings/normalizer", choice.normalizer);
}

}  // namespace heed::examples
