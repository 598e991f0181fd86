#include "examples/support/transformer_options.hpp"

#include "autograd/error.hpp"
#include "examples/support/halves.hpp"
#include "examples/support/known_option.hpp"
#include "examples/support/named.hpp"

namespace heed::examples {

namespace {

constexpr int64_t most_heads = 1 << 10, most_reach = 1 << 16;

}  // namespace

void add_transformer_options(CommandLine& line, Settings& s) {
  line.integer("--heads", s.heads, "transformer: attention heads; they share --hidden evenly", 1, most_heads);
  line.integer("--kv-heads", s.kv_heads, "transformer: heads of keys and values; 0: as many as --heads", 0,
               most_heads);
  add_known(line, "--positions", s.positions, "transformer: how attention knows where a token stands",
            known_positions());
  line.integer("--reach", s.reach, "transformer: relative positions: farther distances count as this one", 1,
               most_reach);
  line.choice("--norm", s.norm, "transformer: LayerNorm or RMSNorm", names_of(norms));
  line.choice("--activation", s.activation, "transformer: of its feed-forward networks",
              names_of(activations));
  line.toggle("--post-norm", s.post_norm,
              "transformer: norms after the sums, as in 2017, not in the branches");
}

void check_transformer_options(const CommandLine& line, const Settings& s, const std::string& model) {
  const bool applies = has_half(s, "transformer");
  for (const char* flag :
       {"--heads", "--kv-heads", "--positions", "--reach", "--norm", "--activation", "--post-norm"})
    if (!applies && line.given(flag)) fail("{} does not apply to --model {}", flag, model);
  if (!applies) return;
  if (line.given("--reach") && s.positions != "relative")
    fail("--reach does not apply to --positions {}", s.positions);
  check_heads("--hidden", s.hidden, s.heads, s.kv_heads, s.positions);
}

void write_transformer_options(Json& json, const std::string& pointer, const Settings& s) {
  json.set(pointer + "/heads", s.heads);
  json.set(pointer + "/kv_heads", s.kv_heads);
  json.set(pointer + "/positions", s.positions);
  json.set(pointer + "/longest", s.longest);
  json.set(pointer + "/reach", s.reach);
  json.set(pointer + "/norm", s.norm);
  json.set(pointer + "/activation", s.activation);
  json.set(pointer + "/post_norm", s.post_norm);
}

void read_transformer_options(const Json& json, const std::string& pointer, Settings& s) {
  const auto size = [&](const char* name, int64_t most, int64_t least) {
    const int64_t value = json.integer(pointer + name);
    if (value < least || value > most) fail("{}: {} is outside [{}, {}]", pointer + name, value, least, most);
    return value;
  };
  s.heads = size("/heads", most_heads, 1);
  s.kv_heads = size("/kv_heads", most_heads, 0);
  s.positions = json.text(pointer + "/positions");
  s.longest = size("/longest", 1 << 20, 1);
  s.reach = size("/reach", most_reach, 1);
  s.norm = json.text(pointer + "/norm");
  s.activation = json.text(pointer + "/activation");
  s.post_norm = json.flag(pointer + "/post_norm");
}

TransformerOptions transformer_options(const Settings& s, int64_t vocabulary, int64_t memory) {
  return {.source_vocabulary = vocabulary,
          .target_vocabulary = vocabulary,
          .size = s.hidden,
          .memory = memory,
          .layers = s.layers,
          .heads = s.heads,
          .kv_heads = s.kv_heads,
          .activation = value_of("--activation", activations, s.activation),
          .norm = value_of("--norm", norms, s.norm),
          .pre_norm = !s.post_norm,
          .positions = s.positions,
          .longest = s.longest,
          .reach = s.reach,
          .dropout = real(s.dropout)};
}

}  // namespace heed::examples
