// Learns to copy words, four in five of which its vocabulary lacks, by pointing at them.
// Those of the test never occur in training. A pointer-generator copies a word that it has never seen by
// pointing at it; the same net without the pointer can but answer <unk>.
//
//   ./dev run copy_unseen [--no-contrast] [--coverage] [--seed 7] ...

#include <fmt/format.h>

#include <string>
#include <vector>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/kernels/parallel.hpp"
#include "autograd/ops.hpp"
#include "examples/support/files.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/terminal.hpp"
#include "examples/support/train.hpp"
#include "examples/support/unseen.hpp"
#include "layers/attention_losses.hpp"
#include "layers/models/pointer_generator.hpp"
#include "layers/models/tokens.hpp"
#include "layers/scorers.hpp"
#include "optim/clip.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

struct Options {
  std::string scorer = "bilinear";
  int64_t hidden = 64, embed = 32, batch = 64, steps = 2500, seed = 1, threads = 1;
  double lr = 5e-3;
  bool coverage = false, no_contrast = false;
  std::string json = {};
};

constexpr Lengths usual{.shortest = 3, .longest = 10};
constexpr double threshold = 0.99;

// 20 words that the vocabulary has, 1,000 others to learn from, and 1,000 that occur in the test alone.
struct Data {
  Vocabulary vocabulary;
  CopyData train, test;
};

Data draw_data(const Options& o) {
  Rng rng = draw_from(Stream::data, o.seed);
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
  std::vector<std::string> names;
  for (const KnownScorer& scorer : known_scorers())
    if (scorer.laws.permutation) names.emplace_back(scorer.name);
  line.group("the model");
  line.choice("--scorer", o.scorer, "how a query scores a key", names);
  line.integer("--hidden", o.hidden, "features of the decoder's state, an even number", 2, 1 << 16);
  line.integer("--embed", o.embed, "features of an embedded word", 1, 1 << 16);
  line.toggle("--coverage", o.coverage, "what earlier steps saw enters the keys, and seeing it again costs");
  line.toggle("--no-contrast", o.no_contrast, "do not train the same net without the pointer beside it");
  line.group("training");
  line.integer("--batch", o.batch, "pairs a step", 1, 20'000);
  line.integer("--steps", o.steps, "training steps", 1);
  line.number("--lr", o.lr, "the highest learning rate (Adam); it falls to 0 at the end", 0, 100);
  line.integer("--seed", o.seed, "of everything random", 0, CommandLine::any);
  line.integer("--threads", o.threads, "more than one pays for large models alone; 0: one per core", 0, 1024);
  line.text("--json", o.json, "write all results to this file");
  if (!line.parse(argc, argv)) return false;
  if (!o.json.empty()) check_writable("--json", o.json);
  if (o.threads > 0) kernels::set_threads(int(o.threads));
  return true;
}

// What a net without a pointer can be asked for: <unk> for every word that the vocabulary lacks.
std::vector<Example> without_unknown(std::vector<Example> pairs, int64_t vocabulary) {
  for (Example& pair : pairs)
    for (int32_t& token : pair.target)
      if (token >= vocabulary) token = tokens::unk;
  return pairs;
}

void train(const PointerGenerator& model, const std::vector<Example>& pairs, const Options& o) {
  Rng rng = draw_from(Stream::batches, o.seed);
  Adam adam(parameters(model), {.lr = real(o.lr)});
  const Schedule schedule = linear_warmup(100, linear_decay(o.lr, o.steps));
  Progress progress(o.steps, is_terminal());
  for (int64_t step = 0; step < o.steps;) {
    for (const auto& rows : shuffled_batches(pairs, o.batch, rng)) {
      if (step == o.steps) break;
      const Batch batch = make_batch(pairs, rows);
      adam.set_lr(schedule(step++));
      adam.zero_grad();
      const Prediction predicted = model(batch.source, batch.lengths, batch.input, {.train = true});
      const Tensor& log_p = predicted.logits;
      Tensor loss = cross_entropy(log_p, batch.output, {.ignore = tokens::pad});
      if (o.coverage) {
        std::vector<int32_t> steps;
        steps.reserve(rows.size());
        for (const int32_t row : rows) steps.push_back(int32_t(pairs[size_t(row)].target.size() + 1));
        loss = loss + coverage_loss(predicted.weights, {.queries = steps, .slots = batch.lengths});
      }
      backward(loss);
      clip_grad_norm(adam.parameters(), 1);
      adam.step();
      progress.step(double(loss.item()), right_share(log_p, batch), batch.tokens);
    }
  }
  progress.finish();
}

PointerGenerator make_model(const Data& data, const Options& o, bool pointer) {
  Rng rng = draw_from(Stream::weights, o.seed);
  return PointerGenerator({.vocabulary = data.vocabulary.size(),
                           .extended = usual.longest,
                           .embed = o.embed,
                           .hidden = o.hidden,
                           .scorer = o.scorer,
                           .coverage = o.coverage,
                           .pointer = pointer},
                          rng);
}

Evaluation learn(const char* what, const char* name, const PointerGenerator& model,
                 const std::vector<Example>& pairs, const Data& data, const Options& o, Json& json) {
  fmt::print("{}: {} parameters\n", what, parameter_count(model));
  train(model, pairs, o);
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
  const double right = found.scores.sequence_accuracy;
  const bool enough = right >= threshold;
  fmt::print("\ncopy_unseen: {} ({:.1f}% of unseen sequences right, the threshold is {:.0f}%)\n",
             enough ? "learned" : "not learned", 100 * right, 100 * threshold);
  json.set("/task", "copy_unseen");
  json.set("/settings/scorer", o.scorer);
  json.set("/settings/hidden", o.hidden);
  json.set("/settings/embed", o.embed);
  json.set("/settings/coverage", o.coverage);
  json.set("/settings/batch", o.batch);
  json.set("/settings/steps", o.steps);
  json.set("/settings/lr", o.lr);
  json.set("/settings/seed", o.seed);
  json.set("/threshold", threshold);
  json.set("/learned", enough);
  if (!o.json.empty()) json.write(o.json);
  return enough ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("copy_unseen", [=] { return run(argc, argv); });
}
