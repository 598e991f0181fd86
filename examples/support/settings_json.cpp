#include "autograd/error.hpp"
#include "examples/support/model_kinds.hpp"
#include "examples/support/settings.hpp"
#include "examples/support/transformer_options.hpp"

// Settings as JSON, and back: of each kind of model what it has.

namespace heed::examples {

void write_settings(Json& json, const std::string& pointer, const Settings& s) {
  json.set(pointer + "/model", s.model);
  json.set(pointer + "/hidden", s.hidden);
  if (!is_gated(s.model)) {
    json.set(pointer + "/layers", s.layers);
    json.set(pointer + "/dropout", s.dropout);
  }
  if (is_hybrid(s)) {
    json.set(pointer + "/encoder", s.encoder);
    json.set(pointer + "/decoder", s.decoder);
  }
  if (has_half(s, "cnn")) json.set(pointer + "/width", s.width);
  if (has_cell(s)) json.set(pointer + "/cell", s.cell);
  if (has_scorer(s)) {
    json.set(pointer + "/scorer", s.scorer);
    json.set(pointer + "/normalizer", s.normalizer);
    json.set(pointer + "/temperature", s.temperature);
    json.set(pointer + "/window", s.window);
    json.set(pointer + "/slots", s.slots);
  }
  if (is_recurrent(s.model)) {
    json.set(pointer + "/order", s.order);
    json.set(pointer + "/values", s.values);
    json.set(pointer + "/own_past", s.own_past);
    json.set(pointer + "/unidirectional", s.unidirectional);
    json.set(pointer + "/no_bridge", s.no_bridge);
  }
  if (has_half(s, "transformer")) write_transformer_options(json, pointer, s);
  if (has_embed(s)) json.set(pointer + "/embed", s.embed);
  json.set(pointer + "/batch", s.batch);
  if (s.epochs > 0)
    json.set(pointer + "/epochs", s.epochs);
  else
    json.set(pointer + "/steps", s.steps);
  json.set(pointer + "/lr", s.lr);
  json.set(pointer + "/warmup", s.warmup);
  json.set(pointer + "/label_smoothing", s.label_smoothing);
  if (s.guided > 0) json.set(pointer + "/guided", s.guided);
  if (s.doubly_stochastic > 0) json.set(pointer + "/doubly_stochastic", s.doubly_stochastic);
  json.set(pointer + "/seed", s.seed);
}

Settings read_settings(const Json& json, const std::string& pointer) {
  Settings s;
  s.model = json.text(pointer + "/model");
  const auto size = [&](const char* name, int64_t most, int64_t least = 1) {
    const int64_t value = json.integer(pointer + name);
    if (value < least || value > most) fail("{}: {} is outside [{}, {}]", pointer + name, value, least, most);
    return value;
  };
  s.hidden = size("/hidden", most_features);
  if (!is_gated(s.model)) {
    s.layers = size("/layers", most_layers);
    s.dropout = json.number(pointer + "/dropout");
  }
  if (is_hybrid(s)) {
    s.encoder = json.text(pointer + "/encoder");
    s.decoder = json.text(pointer + "/decoder");
  }
  if (has_half(s, "cnn")) s.width = size("/width", most_width);
  if (has_cell(s)) s.cell = json.text(pointer + "/cell");
  if (has_scorer(s)) {
    s.scorer = json.text(pointer + "/scorer");
    s.normalizer = json.text(pointer + "/normalizer");
    s.temperature = json.number(pointer + "/temperature");
    s.window = json.integer(pointer + "/window");
    s.slots = size("/slots", most_slots, 0);
  }
  if (is_recurrent(s.model)) {
    s.order = json.text(pointer + "/order");
    s.values = json.text(pointer + "/values");
    s.own_past = json.flag(pointer + "/own_past");
    s.unidirectional = json.flag(pointer + "/unidirectional");
    s.no_bridge = json.flag(pointer + "/no_bridge");
  }
  if (has_half(s, "transformer")) read_transformer_options(json, pointer, s);
  if (has_embed(s)) s.embed = size("/embed", most_features);
  s.batch = json.integer(pointer + "/batch");
  if (json.has(pointer + "/epochs"))
    s.epochs = json.integer(pointer + "/epochs");
  else
    s.steps = json.integer(pointer + "/steps");
  s.lr = json.number(pointer + "/lr");
  s.warmup = json.integer(pointer + "/warmup");
  s.label_smoothing = json.number(pointer + "/label_smoothing");
  if (json.has(pointer + "/guided")) s.guided = json.number(pointer + "/guided");
  if (json.has(pointer + "/doubly_stochastic"))
    s.doubly_stochastic = json.number(pointer + "/doubly_stochastic");
  s.seed = json.integer(pointer + "/seed");
  return s;
}

void write_beam(Json& json, const std::string& pointer, const BeamOptions& beam) {
  json.set(pointer + "/beam", beam.width);
  json.set(pointer + "/length_penalty", beam.length_penalty);
  json.set(pointer + "/coverage_penalty", beam.coverage_penalty);
}

}  // namespace heed::examples
