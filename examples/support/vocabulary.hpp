#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "examples/support/example.hpp"

namespace heed::examples {

// Words and their numbers. The special tokens come first (layers/models/tokens.hpp), then words in the order
// in which they were added. The names of special tokens, as <unk>, are no words: they are shown, never read.
class Vocabulary {
 public:
  Vocabulary();
  explicit Vocabulary(const std::vector<std::string>& words);

  static bool is_special(std::string_view word);
  int32_t add(std::string_view word);                           // its number, new or old; throws on a special
  [[nodiscard]] int32_t number(std::string_view word) const;    // that of <unk> when it is not in here
  [[nodiscard]] const std::string& word(int32_t number) const;  // throws outside [0, size())
  [[nodiscard]] int64_t size() const { return int64_t(words_.size()); }
  // All but the special tokens.
  [[nodiscard]] std::vector<std::string> words() const;

  [[nodiscard]] Tokens numbers(const std::vector<std::string>& words) const;
  // Joined by spaces.
  [[nodiscard]] std::string text(const Tokens& numbers) const;

 private:
  std::vector<std::string> words_;
  std::unordered_map<std::string, int32_t> numbers_;
};

}  // namespace heed::examples
