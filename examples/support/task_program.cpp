#include "examples/support/task_program.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/graph.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/terminal.hpp"
#include "examples/support/verdict.hpp"

namespace heed::examples {

namespace {

constexpr Lengths usual{.shortest = 3, .longest = 12}, beyond{.shortest = 13, .longest = 18};

std::vector<std::string> labels(const Vocabulary& words, const Tokens& tokens) {
  std::vector<std::string> list;
  for (const int32_t token : tokens) list.push_back(words.word(token));
  return list;
}

// The attention with which the model decodes the first example of 9 symbols: neither trivial nor too wide.
void print_map(const Seq2Seq& model, const TaskData& data, const BeamOptions& beam) {
  const auto found = std::ranges::find_if(data.test, [](const Example& e) { return e.source.size() == 9; });
  const Example& e = found == data.test.end() ? data.test.front() : *found;
  const Decoded answer = decode(model, {e}, beam).front().front();
  if (!answer.weights.defined()) return;  // nothing attends
  const std::vector<double> weights(answer.weights.values().begin(), answer.weights.values().end());
  fmt::print("\nattention: a row per output symbol, a column per input symbol\n{}",
             attention_map(weights, labels(data.target, answer.tokens), labels(data.source, e.source),
                           has_colour()));
}

void write_scores(Json& json, const std::string& pointer, const Evaluation& evaluation) {
  json.set(pointer + "/sequence_accuracy", evaluation.scores.sequence_accuracy);
  json.set(pointer + "/token_accuracy", evaluation.scores.token_accuracy);
  json.set(pointer + "/aer", evaluation.aer);
  json.set(pointer + "/entropy", evaluation.entropy);
}

std::string score_line(const std::string& what, Lengths lengths, const Evaluation& evaluation) {
  return fmt::format(
      "{:<22} lengths {:>2} to {:>2}: sequences {:5.1f}% right, symbols {:5.1f}% right, AER {:.3f} fed the "
      "target\n",
      what, lengths.shortest, lengths.longest, 100 * evaluation.scores.sequence_accuracy,
      100 * evaluation.scores.token_accuracy, evaluation.aer);
}

}  // namespace

std::optional<Contrast> without_attention(const Settings& settings) {
  Contrast contrast{"without attention,", settings};
  if (settings.model == "rnnsearch") {
    contrast.settings.model = "rnn-encoder-decoder";
    return contrast;
  }
  if (settings.model != "rnn" || settings.order == "none") return std::nullopt;
  contrast.settings.order = "none";
  return contrast;
}

std::string tell(const std::string& what, const Learned& learned, Json& json, const std::string& pointer) {
  json.set(pointer + "/what", what);
  write_settings(json, pointer + "/settings", learned.settings);
  json.set(pointer + "/parameters", parameter_count(*learned.model));
  write_scores(json, pointer + "/test", learned.test);
  write_scores(json, pointer + "/longer", learned.longer);
  return score_line(what, usual, learned.test) + score_line("", beyond, learned.longer);
}

int run_task(const TaskProgram& program, int argc, char** argv) {
  return run_program(program.task.name.c_str(), [&] {
    CommandLine line(program.task.name, program.about);
    bool no_contrast = false;
    if (program.contrast)
      line.toggle("--no-contrast", no_contrast,
                  "do not train the model without the mechanism, for comparison");
    Settings settings;
    if (!parse_settings(line, settings, program.presets, argc, argv)) return 0;
    const TaskData data = draw_data(program.task, settings.seed);
    const Learned learned = learn(data, settings);
    Json json;
    std::string beside;
    if (program.contrast && !no_contrast)
      if (const auto contrast = program.contrast(settings))
        beside = tell(contrast->what, learn(data, contrast->settings), json, "/contrast");
    return report(program, data, learned, std::move(json), beside);
  });
}

TaskData draw_data(const Task& task, int64_t seed) {
  Rng rng = draw_from(Stream::data, seed);
  TaskData data{task.name, Vocabulary(task.source_symbols), Vocabulary(task.target_symbols), {}, {}, {}};
  data.test = generate(task, 1'000, usual, rng);
  data.longer = generate(task, 1'000, beyond, rng);
  data.train = generate(task, 100'000, usual, rng, data.test);
  return data;
}

Training train_steps(const Seq2Seq& model, const std::vector<Example>& examples, const Settings& settings,
                     const Watch& watch) {
  Rng rng = draw_from(Stream::batches, settings.seed);
  Trainer trainer(model, settings, settings.steps);
  Progress progress(settings.steps, is_terminal(), watch.quiet);
  Training result;
  double asking = 0;  // seconds
  for (bool enough = false; !enough && result.steps < settings.steps;)
    for (const auto& rows : shuffled_batches(examples, settings.batch, rng)) {
      trainer.step(examples, rows, progress);
      ++result.steps;
      if (watch.every > 0 && result.steps % watch.every == 0) {
        const double before = progress.seconds();
        enough = watch.enough(model);
        asking += progress.seconds() - before;
      }
      if (enough || result.steps == settings.steps) break;
    }
  progress.finish();
  trainer.check();
  result.seconds = progress.seconds() - asking;
  result.tokens_per_second = progress.tokens_per_second();
  result.loss = progress.loss();
  result.losses = progress.losses();
  return result;
}

Learned learn(const TaskData& data, const Settings& settings, const Watch& watch) {
  Learned learned{settings, {}, {}, {}, {}};
  for (const auto* examples : {&data.train, &data.test, &data.longer})
    for (const Example& e : *examples) make_room(learned.settings, e.source.size(), e.target.size());
  learned.model = make_model(learned.settings, data.source.size(), data.target.size());
  if (!watch.quiet)
    fmt::print("{}: {} pairs, {} symbols, --model {}\n{} parameters\n", data.task, data.train.size(),
               data.source.words().size(), settings.model, parameter_count(*learned.model));
  learned.training = train_steps(*learned.model, data.train, learned.settings, watch);
  learned.test = evaluate(*learned.model, data.test, settings.beam);
  if (!watch.quiet) learned.longer = evaluate(*learned.model, data.longer, settings.beam);
  return learned;
}

int report(const TaskProgram& program, const TaskData& data, const Learned& learned, Json json,
           const std::string& beside) {
  fmt::print("trained in {:.1f} s\n\n", learned.training.seconds);
  fmt::print("{}{}{}", score_line("unseen,", usual, learned.test),
             score_line("longer than any seen,", beyond, learned.longer), beside);
  fmt::print("\nthree of them:\n");
  for (size_t i = 0; i < 3; ++i)
    print_answer(data.source.text(data.test[i].source), data.target.text(learned.test.outputs[i]),
                 data.target.text(data.test[i].target));
  print_map(*learned.model, data, learned.settings.beam);
  json.set("/task", program.task.name);
  write_settings(json, "/settings", learned.settings);
  write_beam(json, "/decoding", learned.settings.beam);
  json.set("/parameters", parameter_count(*learned.model));
  json.set("/training/seconds", learned.training.seconds);
  json.set("/training/tokens_per_second", learned.training.tokens_per_second);
  json.set("/training/loss", learned.training.loss);
  json.set("/training/losses", learned.training.losses);
  write_scores(json, "/test", learned.test);
  write_scores(json, "/longer", learned.longer);
  json.set("/threshold", program.threshold);
  return conclude(program.task.name,
                  judge(learned.test.scores.sequence_accuracy, program.threshold, "unseen sequences"), json,
                  learned.settings.json);
}

}  // namespace heed::examples
