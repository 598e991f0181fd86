#include "examples/support/translate_program.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/error.hpp"
#include "examples/support/pairs.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/terminal.hpp"

namespace heed::examples {

namespace {

// The words of a vocabulary as one string of a checkpoint, and back. Words hold no spaces.
std::string joined(const Vocabulary& vocabulary) {
  return fmt::format("{}", fmt::join(vocabulary.words(), " "));
}

}  // namespace

std::vector<Example> read_examples(const std::string& path, int64_t limit, const Translator& translator,
                                   Vocabulary* references) {
  std::vector<Example> examples;
  for (const Pair& pair : read_pairs(path, limit)) {
    examples.push_back({translator.source.numbers(pair.source), translator.target.numbers(pair.target), {}});
    if (references == nullptr) continue;
    for (const std::string& word : pair.target) examples.back().reference.push_back(references->add(word));
  }
  return examples;
}

Translator new_translator(const std::string& train_path, int64_t limit, const Settings& settings,
                          const std::vector<std::string>& unseen) {
  Translator translator{settings, {}, {}, nullptr};
  for (const std::string& path : unseen)
    for (const Pair& pair : read_pairs(path))
      make_room(translator.settings, pair.source.size(), pair.target.size());
  for (const Pair& pair : read_pairs(train_path, limit)) {
    make_room(translator.settings, pair.source.size(), pair.target.size());
    for (const std::string& word : pair.source) translator.source.add(word);
    for (const std::string& word : pair.target) translator.target.add(word);
  }
  translator.model = make_model(translator.settings, translator.source.size(), translator.target.size());
  return translator;
}

Epochs train_epochs(const Translator& translator, const std::vector<Example>& train,
                    const std::vector<Example>& dev) {
  const Settings& settings = translator.settings;
  const Seq2Seq& model = *translator.model;
  Rng rng = draw_from(Stream::batches, settings.seed);
  const int64_t per_epoch = (int64_t(train.size()) + settings.batch - 1) / settings.batch;
  const int64_t steps = settings.epochs * per_epoch;
  Trainer trainer(model, settings, steps);
  Progress progress(steps, is_terminal());
  Epochs result;
  TensorList best;
  for (int64_t epoch = 1; epoch <= settings.epochs; ++epoch) {
    for (const auto& rows : shuffled_batches(train, settings.batch, rng)) trainer.step(train, rows, progress);
    trainer.check();
    if (dev.empty()) continue;
    const Scores scores = evaluate(model, dev).scores;
    progress.finish();
    fmt::print("epoch {:>3}: dev {:.2f}% exact, token error rate {:.2f}%, BLEU {:.2f}\n", epoch,
               100 * scores.sequence_accuracy, 100 * scores.token_error_rate, 100 * scores.bleu);
    if (!best.empty() && scores.token_error_rate > result.dev.token_error_rate) continue;
    result.best = epoch;
    result.dev = scores;
    best = copy_parameters(model);
  }
  progress.finish();
  if (!best.empty()) set_parameters(model, best);
  result.seconds = progress.seconds();
  result.tokens_per_second = progress.tokens_per_second();
  result.loss = progress.loss();
  result.losses = progress.losses();
  return result;
}

void save_translator(const std::string& path, const Translator& translator) {
  Json settings;
  write_settings(settings, "", translator.settings);
  save_checkpoint(path, *translator.model,
                  {{"settings", settings.dump(/*pretty=*/false)},
                   {"source_vocabulary", joined(translator.source)},
                   {"target_vocabulary", joined(translator.target)}});
}

Translator load_translator(const std::string& path) {
  const Checkpoint checkpoint = load_checkpoint(path);
  Translator translator{read_settings(Json::parse(checkpoint.text("settings"), path), ""),
                        Vocabulary(split_words(checkpoint.text("source_vocabulary"))),
                        Vocabulary(split_words(checkpoint.text("target_vocabulary"))), nullptr};
  translator.model = make_model(translator.settings, translator.source.size(), translator.target.size());
  restore(checkpoint, *translator.model);
  return translator;
}

}  // namespace heed::examples
