// Learns to copy words, four in five of which its vocabulary lacks, by pointing at them.
// Those of the test never occur in training. A pointer-generator copies a word that it has never seen by
// pointing at it; the same net without the pointer can but answer <unk>.
//
//   ./dev run copy_unseen [--no-contrast] [--coverage] [--seed 7] ...

#include <fmt/format.h>

#include <string>
#include <vector>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "examples/support/attention_options.hpp"
#include "examples/support/fit.hpp"
#include "examples/support/share.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/terminal.hpp"
#include "examples/support/train.hpp"
#include "examples/support/unseen.hpp"
#include "examples/support/verdict.hpp"
#include "layers/attention_losses.hpp"
#include "layers/models/pointer_generator.hpp"
#include "layers/models/tokens.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

struct Options {
  AttentionChoice attention{.scorer = "bilinear"};
  int64_t hidden = 64, embed = 32;
  bool coverage = false, no_contrast = false;
  FitSettings fit{.steps = 2500, .batch = 64, .warmup = 100};
};

constexpr Lengths usual{.shortest = 3, .longest = 10};
constexpr double threshold = 0.99;

// 20 words that the vocabulary has, 1,000 others to learn from, and 1,000 that occur in the test alone.
struct Data {
  Vocabulary vocabulary;
  CopyData train, test;
};

Data draw_data(const Options& o) {
  Rng rng = draw_from(Stream::data, o.fit.seed);
  const std::vector<std::string> words = make_words(2020, rng);
  const auto some = [&](int64_t begin, int64_t end) {
    return std::vector<std::string>(words.begin() + begin, words.begin() + end);
  };
  Data data{Vocabulary(some(0, 20)), {}, {}};
  data.train = draw_copies(20'000, usual, data.vocabulary, some(20, 1020), rng);
  data.test = draw_copies(1'000, usual, data.vocabulary, some(1020, 2020), rng);
  return data;
}

bool parse(Options& o, int argc, char** argv) {
  CommandLine line("copy_unseen",
                   "Learns to copy words that occur in no training pair, by pointing at them.");
  line.group("the model");
  add_attention(line, o.attention);
  line.integer("--hidden", o.hidden, "features of the decoder's state, an even number", 2, 1 << 16);
  line.integer("--embed", o.embed, "features of an embedded word", 1, 1 << 16);
  line.toggle("--coverage", o.coverage, "what earlier steps saw enters the keys, and seeing it again costs");
  line.toggle("--no-contrast", o.no_contrast, "do not train the same net without the pointer beside it");
  add_fit_options(line, o.fit);
  if (!line.parse(argc, argv)) return false;
  apply(o.fit);
  return true;
}

// What a net without a pointer can be asked for: <unk> for every word that the vocabulary lacks.
std::vector<Example> without_unknown(std::vector<Example> pairs, int64_t vocabulary) {
  for (Example& pair : pairs)
    for (int32_t& token : pair.target)
      if (token >= vocabulary) token = tokens::unk;
  return pairs;
}

Fitted train(const PointerGenerator& model, const std::vector<Example>& pairs, const Options& o) {
  Rng rng = draw_from(Stream::batches, o.fit.seed);
  std::vector<std::vector<int32_t>> batches;  // of the present pass; taken from the back
  Rng chance = draw_own(Stream::dropout, o.fit.seed);
  Progress progress(o.fit.steps, is_terminal());
  const auto look = [&] {
    if (batches.empty()) batches = shuffled_batches(pairs, o.fit.batch, rng);
    const std::vector<int32_t> rows = std::move(batches.back());
    batches.pop_back();
    const OwnBatch batch = own_batch(pairs, rows);
    const Pass pass{.train = true, .rng = &chance};
    const Prediction predicted = model(batch.source, batch.lengths, batch.input, pass);
    const Tensor& log_p = predicted.logits;
    Tensor loss = cross_entropy(log_p, batch.output, {.ignore = tokens::pad});
    if (o.coverage) {
      std::vector<int32_t> steps;
      steps.reserve(rows.size());
      for (const int32_t i : batch.share.rows)
        steps.push_back(int32_t(pairs[size_t(rows[size_t(i)])].target.size() + 1));
      loss = loss + coverage_loss(predicted.weights, {.queries = steps, .slots = batch.lengths});
    }
    return Found(loss, count_of(batch.output, tokens::pad, batch.share), right_share(log_p, batch));
  };
  Fitted fitted = fit(model, o.fit, look, &progress);
  progress.finish();
  return fitted;
}

PointerGenerator make_model(const Data& data, const Options& o, bool pointer) {
  Rng rng = draw_from(Stream::weights, o.fit.seed);
  return PointerGenerator({.vocabulary = data.vocabulary.size(),
                           .extended = usual.longest,
                           .embed = o.embed,
                           .hidden = o.hidden,
                           .scorer = o.attention.scorer,
                           .normalizer = o.attention.normalizer,
                           .slots = usual.longest,
                           .coverage = o.coverage,
                           .pointer = pointer},
                          rng);
}

Evaluation learn(const char* what, const char* name, const PointerGenerator& model,
                 const std::vector<Example>& pairs, const Data& data, const Options& o, Json& json) {
  fmt::print("{}: {} parameters\n", what, parameter_count(model));
  json.set(fmt::format("/{}/losses", name), train(model, pairs, o).losses);
  Evaluation found = evaluate(model, data.test.pairs);
  const std::string at = fmt::format("/{}", name);
  json.set(at + "/sequence_accuracy", found.scores.sequence_accuracy);
  json.set(at + "/token_accuracy", found.scores.token_accuracy);
  json.set(at + "/aer", found.aer);
  return found;
}

void print_scores(const char* what, const Evaluation& found) {
  fmt::print("  {:<20} sequences {:5.1f}% right, words {:5.1f}% right, AER {:.3f}\n", what,
             100 * found.scores.sequence_accuracy, 100 * found.scores.token_accuracy, found.aer);
}

// Numbers back to words; a temporary one is the source's.
std::string text(const Tokens& answer, const NumberedSource& source, const Vocabulary& vocabulary) {
  std::string line;
  for (const int32_t token : answer) {
    const auto i = size_t(token - vocabulary.size());
    const bool temporary = token >= vocabulary.size();
    line += line.empty() ? "" : " ";
    line += !temporary ? vocabulary.word(token) : i < source.unknown.size() ? source.unknown[i] : "?";
  }
  return line;
}

void print_answers(const char* what, const Evaluation& found, const Data& data) {
  fmt::print("\nthree of them, {}:\n", what);
  for (size_t i = 0; i < 3; ++i) {
    const NumberedSource& source = data.test.sources[i];
    const std::string asked = text(source.tokens, source, data.vocabulary);
    print_answer(asked, text(found.outputs[i], source, data.vocabulary), asked);
  }
}

int run(int argc, char** argv) {
  Options o;
  if (!parse(o, argc, argv)) return 0;
  if (o.hidden % 2 != 0)
    fail("--hidden {}: expected an even number, half for each direction of the encoder", o.hidden);
  const Data data = draw_data(o);
  const int64_t known = data.vocabulary.size() - tokens::first_word;
  fmt::print("copy_unseen: {} pairs, {} words in the vocabulary\n", data.train.pairs.size(), known);
  Json json;
  const Evaluation found =
      learn("with the pointer", "pointer", make_model(data, o, true), data.train.pairs, data, o, json);
  Evaluation contrast;
  if (!o.no_contrast) {
    contrast = learn("without", "contrast", make_model(data, o, false),
                     without_unknown(data.train.pairs, data.vocabulary.size()), data, o, json);
  }
  fmt::print("\n1,000 sequences of {} to {} words, four in five of which never occurred in training:\n",
             usual.shortest, usual.longest);
  print_scores("with the pointer", found);
  if (!o.no_contrast) print_scores("without", contrast);
  print_answers("with the pointer", found, data);
  if (!o.no_contrast) print_answers("without", contrast, data);
  json.set("/task", "copy_unseen");
  write_settings(json, o.attention);
  json.set("/settings/hidden", o.hidden);
  json.set("/settings/embed", o.embed);
  json.set("/settings/coverage", o.coverage);
  write_settings(json, o.fit);
  json.set("/threshold", threshold);
  return conclude("copy_unseen", judge(found.scores.sequence_accuracy, threshold, "unseen sequences"), json,
                  o.fit.json);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("copy_unseen", [=] { return run(argc, argv); });
}
