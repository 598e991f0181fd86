#include "examples/support/unseen.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <string_view>

#include "layers/models/tokens.hpp"

namespace heed::examples {

NumberedSource number_source(const std::vector<std::string>& words, const Vocabulary& vocabulary) {
  NumberedSource source;
  for (const std::string& word : words) {
    int32_t token = vocabulary.number(word);
    if (token == tokens::unk) {
      const auto found = std::ranges::find(source.unknown, word);
      token = int32_t(vocabulary.size() + (found - source.unknown.begin()));
      if (found == source.unknown.end()) source.unknown.push_back(word);
    }
    source.tokens.push_back(token);
  }
  return source;
}

std::vector<std::string> make_words(int64_t count, Rng& rng) {
  constexpr std::string_view consonants = "bdfgklmnprstvz", vowels = "aeiou";
  const auto letter = [&](std::string_view of) { return of[size_t(rng.integer(int64_t(of.size())))]; };
  std::set<std::string> taken;
  std::vector<std::string> words;
  while (int64_t(words.size()) < count) {
    std::string word;
    for (int64_t syllables = 2 + rng.integer(2); syllables > 0; --syllables) {
      word += letter(consonants);
      word += letter(vowels);
    }
    if (taken.insert(word).second) words.push_back(std::move(word));
  }
  return words;
}

CopyData draw_copies(int64_t count, Lengths lengths, const Vocabulary& vocabulary,
                     const std::vector<std::string>& others, Rng& rng) {
  const std::vector<std::string> known = vocabulary.words();
  const auto one_of = [&](const std::vector<std::string>& list) {
    return list[size_t(rng.integer(int64_t(list.size())))];
  };
  CopyData data;
  for (int64_t i = 0; i < count; ++i) {
    std::vector<std::string> words;
    for (int64_t n = lengths.shortest + rng.integer(lengths.longest - lengths.shortest + 1); n > 0; --n)
      words.push_back(one_of(rng.uniform() < 0.2 ? known : others));
    data.sources.push_back(number_source(words, vocabulary));
    const Tokens& tokens = data.sources.back().tokens;
    Tokens gold(tokens.size());
    std::iota(gold.begin(), gold.end(), 0);
    data.pairs.push_back({tokens, tokens, gold});
    data.words.push_back(std::move(words));
  }
  return data;
}

}  // namespace heed::examples
