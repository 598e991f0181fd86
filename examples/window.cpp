// Asks of each position what stood a fixed distance before: what a window does not reach, no training finds.
// The table trains taggers of causal convolutions, whose receptive field follows from their layers, and one
// of causal self-attention, on one distance each: a convolution is right as far as its field reaches and
// guesses beyond, to the step; attention is one look away from everything.
//
//   ./dev run window [--size 48] [--layers 1] [--no-contrast] [--seed 7] ...

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/fit.hpp"
#include "examples/support/share.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/verdict.hpp"
#include "layers/conv_stack.hpp"
#include "layers/models/tagger.hpp"
#include "layers/self_attention.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

constexpr int64_t symbols = 8, length = 24;
constexpr int64_t distances[] = {1, 2, 3, 6, 7, 14, 15};
constexpr double threshold = 0.99, chance = 1.0 / symbols, guess = chance + 0.05;

// B streams of random symbols, and for each position the symbol `distance` before it; -1 where there is none.
struct Streams {
  Ids tokens, tags;  // (B, T)
  std::vector<int32_t> lengths;

  [[nodiscard]] Streams select(std::span<const int32_t> rows) const {
    return {tokens.select(rows),
            tags.select(rows),
            {lengths.begin(), lengths.begin() + std::ssize(rows)}};  // all alike
  }
};

Streams draw(int64_t batch, int64_t distance, Rng& rng) {
  Streams streams{.tokens = Ids({batch, length}),
                  .tags = Ids({batch, length}),
                  .lengths = std::vector<int32_t>(size_t(batch), int32_t(length))};
  for (int32_t& token : streams.tokens.values()) token = int32_t(rng.integer(symbols));
  for (int64_t i = 0; i < streams.tokens.size(); ++i)
    streams.tags.values()[size_t(i)] = i % length < distance ? -1 : streams.tokens[i - distance];
  return streams;
}

struct Row {
  const char* name;
  const char* what;
  std::vector<int64_t> dilations;  // of each layer; none: self-attention
};
const Row rows[] = {
    {"conv_1", "1 convolution of width 3", {1}},
    {"conv_3", "3 convolutions of width 3", {1, 1, 1}},
    {"dilated_3", "3 convolutions, dilated 1, 2, 4", {1, 2, 4}},
    {"attention", "self-attention", {}},
};

Tagger make(const Row& row, int64_t size, int64_t layers, Rng& rng) {
  std::unique_ptr<Stack> stack;
  if (row.dilations.empty())
    stack = std::make_unique<SelfAttention>(
        SelfAttention::Options{
            .size = size, .layers = layers, .causal = true, .block = {.positions = "sinusoidal"}},
        rng);
  else
    stack = std::make_unique<ConvStack>(ConvStack::Options{.size = size,
                                                           .layers = int64_t(row.dilations.size()),
                                                           .width = 3,
                                                           .padding = Padding::causal,
                                                           .dilations = row.dilations},
                                        rng);
  return {symbols, symbols, std::move(stack), rng};
}

// How many steps an output sees; 0: all.
int64_t reach(const Tagger& tagger) {
  const auto* conv = dynamic_cast<const ConvStack*>(tagger.stack.get());
  return conv == nullptr ? 0 : conv->reach();
}

double accuracy(const Tagger& tagger, int64_t distance, Rng rng) {
  const NoGrad no_grad;
  const Share own = own_share(500);
  const Streams unseen = draw(500, distance, rng).select(own.rows);
  const Ids best = argmax(tagger(unseen.tokens, unseen.lengths, {}));
  double asked = 0, right = 0;
  for (int64_t i = 0; i < best.size(); ++i) {
    asked += unseen.tags[i] >= 0;
    right += best[i] == unseen.tags[i];
  }
  return sum_over_ranks(right, own) / sum_over_ranks(asked, own);
}

// Trains and prints one row; true if it is right as far as it sees, and guesses beyond.
bool print_row(const Row& row, int64_t size, int64_t layers, const FitSettings& settings, Json& json) {
  bool as_expected = true;
  double seconds = 0;
  for (const int64_t distance : distances) {
    Rng weights = draw_from(Stream::weights, settings.seed);
    Rng batches = draw_from(Stream::batches, settings.seed);
    const Tagger tagger = make(row, size, layers, weights);
    const int64_t field = reach(tagger);
    if (distance == distances[0]) {
      fmt::print("{:<34}{:>7}", row.what, field == 0 ? "all" : std::to_string(field));
      json.set(fmt::format("/{}/reach", row.name), field);
    }
    const Fitted fitted = fit(tagger, settings, [&] {
      const Share own = own_share(settings.batch);
      const Streams streams = draw(settings.batch, distance, batches).select(own.rows);
      return Found(cross_entropy(tagger(streams.tokens, streams.lengths, {}), streams.tags),
                   count_of(streams.tags, -1, own));
    });
    seconds += fitted.seconds;
    json.set(fmt::format("/{}/losses/distance {}", row.name, distance), fitted.losses);
    const double right = accuracy(tagger, distance, draw_from(Stream::data, settings.seed));
    const bool sees = field == 0 || distance < field;
    as_expected = as_expected && (sees ? right >= threshold : right <= guess);
    fmt::print("{:>7.1f}%", 100 * right);
    std::fflush(stdout);
    json.set(fmt::format("/{}/right/{}", row.name, distance), right);
  }
  fmt::print("{:>9.1f}\n", seconds);
  return as_expected;
}

int run(int argc, char** argv) {
  CommandLine line("window",
                   "Asks for the symbol a fixed distance before: convolutions of several widths, attention.");
  int64_t size = 32, layers = 1;
  bool no_contrast = false;
  FitSettings settings{.steps = 400, .batch = 32, .lr = 5e-3};
  line.group("the models");
  line.integer("--size", size, "features of a layer, a multiple of 4", 4, 1 << 12);
  line.integer("--layers", layers, "of self-attention", 1, 100);
  line.toggle("--no-contrast", no_contrast, "self-attention alone");
  add_fit_options(line, settings);
  if (!line.parse(argc, argv)) return 0;
  if (size % 4 != 0) fail("--size {}: expected a multiple of 4", size);
  apply(settings);

  Json json;
  bool enough = true;
  fmt::print("window: {} random symbols a stream, of {} kinds; a guess is right in {:.1f}%\n\n", length,
             symbols, 100 * chance);
  fmt::print("{:<41}{}\n{:<34}{:>7}", "right, by the distance of the symbol", "", "", "field");
  for (const int64_t distance : distances) fmt::print("{:>8}", distance);
  fmt::print("{:>9}\n", "seconds");
  for (const Row& row : rows) {
    if (no_contrast && !row.dilations.empty()) continue;
    enough = print_row(row, size, layers, settings, json) && enough;
  }
  write_settings(json, settings);
  json.set("/settings/size", size);
  json.set("/settings/layers", layers);
  json.set("/threshold", threshold);
  json.set("/chance", chance);
  const std::string why =
      fmt::format("wanted: at least {:.0f}% at distances below the field, at most {:.1f}% from it on",
                  100 * threshold, 100 * guess);
  return conclude("window", {enough, why}, json, settings.json);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("window", [=] { return run(argc, argv); });
}
