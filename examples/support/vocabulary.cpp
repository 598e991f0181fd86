#include "examples/support/vocabulary.hpp"

#include <algorithm>
#include <iterator>

#include "autograd/error.hpp"
#include "layers/models/tokens.hpp"

namespace heed::examples {

namespace {

constexpr std::string_view special_words[] = {"<pad>", "<s>", "</s>", "<unk>"};  // by number
static_assert(std::size(special_words) == tokens::first_word);

}  // namespace

Vocabulary::Vocabulary() : words_(std::begin(special_words), std::end(special_words)) {}

bool Vocabulary::is_special(std::string_view word) {
  return std::find(std::begin(special_words), std::end(special_words), word) != std::end(special_words);
}

Vocabulary::Vocabulary(const std::vector<std::string>& words) : Vocabulary() {
  for (const std::string& word : words) add(word);
}

int32_t Vocabulary::add(std::string_view word) {
  if (is_special(word)) fail("vocabulary: {} is a special token, no word", word);
  const auto [place, fresh] = numbers_.try_emplace(std::string(word), int32_t(words_.size()));
  if (fresh) words_.emplace_back(word);
  return place->second;
}

int32_t Vocabulary::number(std::string_view word) const {
  const auto place = numbers_.find(std::string(word));
  return place == numbers_.end() ? tokens::unk : place->second;
}

const std::string& Vocabulary::word(int32_t number) const {
  if (number < 0 || number >= size()) fail("vocabulary: number {} is outside [0, {})", number, size());
  return words_[size_t(number)];
}

std::vector<std::string> Vocabulary::words() const {
  return {words_.begin() + tokens::first_word, words_.end()};
}

Tokens Vocabulary::numbers(const std::vector<std::string>& words) const {
  Tokens list;
  for (const std::string& word : words) list.push_back(number(word));
  return list;
}

std::string Vocabulary::text(const Tokens& numbers) const {
  std::string line;
  for (const int32_t n : numbers) {
    if (!line.empty()) line += ' ';
    line += word(n);
  }
  return line;
}

}  // namespace heed::examples
