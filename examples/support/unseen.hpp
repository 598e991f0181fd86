#pragma once

#include <string>
#include <vector>

#include "examples/support/tasks.hpp"
#include "examples/support/vocabulary.hpp"

// Copying words that a vocabulary lacks.

namespace heed::examples {

// The words of a source as a pointer-generator takes them (layers/models/pointer_generator.hpp): a word of
// the vocabulary has its number, any other a temporary one, V for the first such word, V + 1 for the next.
struct NumberedSource {
  Tokens tokens;
  std::vector<std::string> unknown;  // word i has number V + i
};
NumberedSource number_source(const std::vector<std::string>& words, const Vocabulary& vocabulary);

// `count` different words of two or three syllables (bato, zutomi, ...); the same for the same generator.
std::vector<std::string> make_words(int64_t count, Rng& rng);

// One list of words to copy, as words and as numbers.
struct CopyData {
  std::vector<std::vector<std::string>> words;
  std::vector<NumberedSource> sources;
  std::vector<Example> pairs;  // the target is the source; gold is the diagonal
};
// `count` lists of lengths in `lengths`; each word is one of the vocabulary with probability 1/5, otherwise
// one of `others`.
CopyData draw_copies(int64_t count, Lengths lengths, const Vocabulary& vocabulary,
                     const std::vector<std::string>& others, Rng& rng);

}  // namespace heed::examples
