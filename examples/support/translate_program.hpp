#pragma once

#include <string>
#include <vector>

#include "examples/support/checkpoint.hpp"
#include "examples/support/train.hpp"
#include "examples/support/vocabulary.hpp"

// The parts of the program translate: a model together with its vocabularies, its training by epochs, its
// file.

namespace heed::examples {

struct Translator {
  Settings settings;
  Vocabulary source, target;
  std::unique_ptr<Seq2Seq> model;
};

// The pairs of a file as numbers; words that the vocabularies lack become <unk>. With `references`, which is
// the target vocabulary at first and gains the file's target words, each example has its reference in them.
std::vector<Example> read_examples(const std::string& path, int64_t limit, const Translator& translator,
                                   Vocabulary* references = nullptr);
// A fresh model for the words of a training file, and for the longest source of it and of the files `unseen`.
Translator new_translator(const std::string& train_path, int64_t limit, const Settings& settings,
                          const std::vector<std::string>& unseen = {});

// How the epochs went.
struct Epochs {
  int64_t best = 0;  // counted from 1
  double seconds = 0, tokens_per_second = 0, loss = 0;
  std::vector<double> losses = {};  // of every step
  Scores dev;                       // of the best epoch
};
// Trains for settings.epochs passes. After each, `dev` is decoded, unless it is empty; the parameters of the
// epoch with the lowest token error rate are kept (the later of equals), without dev those of the last.
Epochs train_epochs(const Translator& translator, const std::vector<Example>& train,
                    const std::vector<Example>& dev);

// Parameters, settings and vocabularies in one file; and back.
void save_translator(const std::string& path, const Translator& translator);
Translator load_translator(const std::string& path);

}  // namespace heed::examples
