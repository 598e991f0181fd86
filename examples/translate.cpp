// Learns to translate from your own file of pairs, a line each: source<TAB>target, tokens apart by spaces.
//
//   ./dev run translate --train F --dev F --test F --save MODEL
//   echo "b o n j o u r" | ./dev run translate --load MODEL --predict
//   echo "b o n j o u r" | ./dev run translate --load MODEL --predict --beam 5 --n-best 3
//
// The epoch with the lowest token error rate on --dev, decoded greedily, is kept; --beam decodes what is then
// reported, and greedy decoding stands beside it. With --n-best each line of an answer is the number of its
// source (from 1), its score and its words, with tabs between. Ends with status 2 if --require, a share of
// exactly right test sequences, is missed.

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <set>
#include <utility>

#include "autograd/error.hpp"
#include "examples/support/files.hpp"
#include "examples/support/model_kinds.hpp"
#include "examples/support/pairs.hpp"
#include "examples/support/terminal.hpp"
#include "examples/support/translate_program.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

struct Files {
  std::string train, dev, test, save, load;
  int64_t limit = 0;
  bool predict = false;
  int64_t n_best = 1;
  double require = 0;
};

void add_file_options(CommandLine& line, Files& files) {
  line.group("data");
  line.text("--train", files.train, "pairs to learn from");
  line.text("--dev", files.dev, "pairs by which the best epoch is chosen");
  line.text("--test", files.test, "pairs to report on (without it: on --dev)");
  line.integer("--limit", files.limit, "read only so many lines of --train; 0: all", 0);
  line.text("--save", files.save, "keep the model in this file");
  line.text("--load", files.load, "take the model from this file instead of training");
  line.toggle("--predict", files.predict, "answer each line of standard input");
  line.integer("--n-best", files.n_best,
               "with --predict: so many answers, a line each, number of the source TAB score TAB answer", 1,
               1000);
  line.number("--require", files.require, "status 2 unless so large a share of sequences is exactly right", 0,
              1);
}

void check_decoding(const CommandLine& line, const Files& files, const BeamOptions& beam) {
  if (line.given("--beam") && !files.predict && files.test.empty() && files.dev.empty())
    fail("--beam needs --test F or --dev F, or --load F with --predict");
  if (line.given("--n-best") && !files.predict) fail("--n-best needs --predict");
  if (files.n_best > beam.width)
    fail("--n-best {}: expected at most as many as --beam {}", files.n_best, beam.width);
}

void check_files(const CommandLine& line, const Files& files, const std::string& json,
                 const BeamOptions& beam) {
  if (files.train.empty() == files.load.empty()) fail("expected either --train F or --load F (see --help)");
  if (files.predict && files.load.empty()) fail("--predict needs --load F");
  const std::set<std::string> with_load = {
      "--load",    "--test", "--predict",        "--n-best",           "--require", "--json",
      "--threads", "--beam", "--length-penalty", "--coverage-penalty", "--profile"};
  if (!files.load.empty())
    for (const std::string& flag : line.given())
      if (!with_load.contains(flag)) fail("{} does not apply with --load: the model is trained", flag);
  for (const char* flag : {"--test", "--json", "--require"})
    if (files.predict && line.given(flag)) fail("{} does not apply with --predict", flag);
  if (!files.load.empty() && !files.predict && files.test.empty())
    fail("--load F needs --predict or --test F");
  check_decoding(line, files, beam);
  if (files.require > 0 && files.test.empty() && files.dev.empty())
    fail("--require needs --test F or --dev F");
  if (!files.save.empty()) check_writable("--save", files.save);
  for (const auto& [flag, output] : {std::pair("--save", files.save), std::pair("--json", json)}) {
    for (const std::string& input : {files.train, files.dev, files.test, files.load})
      if (!output.empty() && !input.empty() && same_file(output, input))
        fail("{} {}: is a file that is read too", flag, output);
  }
  if (!json.empty() && !files.save.empty() && same_file(json, files.save))
    fail("--save and --json name one file");
}

// Reads source lines from standard input and answers a line each, the answer alone; or with `list`
// beam.n_best lines or the fewer that there are, the best first, as --help says.
int predict(const Translator& translator, const BeamOptions& beam, bool list) {
  int64_t number = 0;
  for (std::string text; std::getline(std::cin, text);) {
    if (++number == 1) skip_byte_order_mark(text);
    const Tokens source = translator.source.numbers(split_words(text));
    const int64_t room = most_read(translator.settings), most = most_written(translator.settings);
    if (int64_t(source.size()) > room)
      fail("standard input:{}: {} words, and the model reads at most {}", number, source.size(), room);
    std::vector<Decoded> answers(1);  // to nothing: nothing
    if (!source.empty()) answers = decode(*translator.model, {{source, {}, {}}}, beam, 1, most).front();
    for (const Decoded& answer : answers) {
      if (list) fmt::print("{}\t{:.4f}\t", number, answer.score);
      fmt::print("{}\n", translator.target.text(answer.tokens));
    }
    std::fflush(stdout);
  }
  if (std::cin.bad() || std::ferror(stdin) != 0) fail("standard input: cannot be read");
  return 0;
}

void print_scores(const std::string& name, const Scores& s, Json& json, const std::string& pointer) {
  fmt::print("{}: {:.2f}% exactly right, token error rate {:.2f}%, BLEU {:.2f}\n", name,
             100 * s.sequence_accuracy, 100 * s.token_error_rate, 100 * s.bleu);
  json.set(pointer + "/sequence_accuracy", s.sequence_accuracy);
  json.set(pointer + "/token_error_rate", s.token_error_rate);
  json.set(pointer + "/bleu", s.bleu);
}

// Scores `path`, prints some of its predictions, and beside the scores of a beam those of greedy decoding;
// returns the share that is exactly right.
double report(const std::string& name, const std::string& path, const Translator& translator, Json& json) {
  Vocabulary words = translator.target;  // and those that only the file has: an <unk> is never right
  const std::vector<Example> examples = read_examples(path, 0, translator, &words);
  const BeamOptions& beam = translator.settings.beam;
  const Evaluation evaluation = evaluate(*translator.model, examples, beam);
  for (size_t i = 0; i < std::min<size_t>(5, examples.size()); ++i)
    print_answer(translator.source.text(examples[i].source), translator.target.text(evaluation.outputs[i]),
                 words.text(examples[i].reference));
  print_scores(name, evaluation.scores, json, "/" + name);
  if (beam.width > 1)
    print_scores(name + ", greedy", evaluate(*translator.model, examples).scores, json,
                 "/" + name + "/greedy");
  return evaluation.scores.sequence_accuracy;
}

Translator train(const Files& files, const Settings& settings, Json& json) {
  std::vector<std::string> unseen = {files.dev, files.test};
  std::erase(unseen, "");
  Translator translator = new_translator(files.train, files.limit, settings, unseen);
  const std::vector<Example> pairs = read_examples(files.train, files.limit, translator);
  Vocabulary words = translator.target;
  const std::vector<Example> dev =
      files.dev.empty() ? std::vector<Example>() : read_examples(files.dev, 0, translator, &words);
  fmt::print("{} pairs, {} source and {} target words, {} parameters\n", pairs.size(),
             translator.source.size(), translator.target.size(), parameter_count(*translator.model));
  const Epochs epochs = train_epochs(translator, pairs, dev);
  fmt::print("trained in {:.1f} s\n", epochs.seconds);
  json.set("/parameters", parameter_count(*translator.model));
  json.set("/training/seconds", epochs.seconds);
  json.set("/training/tokens_per_second", epochs.tokens_per_second);
  json.set("/training/loss", epochs.loss);
  json.set("/training/losses", epochs.losses);
  if (!dev.empty()) json.set("/training/best_epoch", epochs.best);
  if (!files.save.empty()) save_translator(files.save, translator);
  return translator;
}

int run(int argc, char** argv) {
  CommandLine line("translate",
                   "Learns from your own file of pairs, source<TAB>target, tokens apart by spaces.");
  Files files;
  add_file_options(line, files);
  const Presets presets{.rnn = {.cell = "lstm",
                                .order = "input-feeding",
                                .embed = 64,
                                .hidden = 128,
                                .dropout = 0.4,
                                .batch = 32,
                                .epochs = 60,
                                .lr = 3e-3,
                                .label_smoothing = 0.1},
                        .transformer = {.model = "transformer",
                                        .reach = 8,
                                        .positions = "relative",
                                        .hidden = 128,
                                        .layers = 3,
                                        .dropout = 0.3,
                                        .batch = 64,
                                        .epochs = 100,
                                        .lr = 1e-3,
                                        .label_smoothing = 0.1,
                                        .warmup = 400}};
  Settings settings;
  if (!parse_settings(line, settings, presets, argc, argv)) return 0;
  check_files(line, files, settings.json, settings.beam);

  Json json;
  Translator translator = files.load.empty() ? train(files, settings, json) : load_translator(files.load);
  translator.settings.beam = settings.beam;
  translator.settings.beam.n_best = files.n_best;
  check_beam(line, translator.settings);
  if (files.predict) return predict(translator, translator.settings.beam, line.given("--n-best"));
  write_settings(json, "/settings", translator.settings);
  write_beam(json, "/decoding", translator.settings.beam);
  double right = 0;
  if (!files.dev.empty()) right = report("dev", files.dev, translator, json);
  if (!files.test.empty()) right = report("test", files.test, translator, json);
  if (!settings.json.empty()) json.write(settings.json);
  if (right >= files.require) return 0;
  fmt::print("{:.4f} of the sequences are right, --require {}\n", right, files.require);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("translate", [=] { return run(argc, argv); });
}
