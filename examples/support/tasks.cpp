#include "examples/support/tasks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <utility>

#include "autograd/error.hpp"
#include "layers/models/tokens.hpp"

namespace heed::examples {

namespace {

Tokens draw_symbols(int64_t length, int64_t symbols, Rng& rng) {
  Tokens list(static_cast<size_t>(length));
  for (int32_t& token : list) token = tokens::first_word + int32_t(rng.integer(symbols));
  return list;
}

std::vector<std::string> numbered(const char* prefix, int64_t count) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back(fmt::format("{}{}", prefix, i));
  return names;
}

// What each source word becomes: entry w holds 0 to 3 target symbols.
std::vector<Tokens> make_lexicon(int64_t words, int64_t symbols) {
  constexpr std::array<int, 10> fertilities = {0, 1, 1, 1, 1, 1, 2, 2, 2, 3};
  Rng rng(20140901);  // fixed: every run, whatever its seed, learns the same language
  std::vector<Tokens> lexicon;
  for (int64_t w = 0; w < words; ++w)
    lexicon.push_back(draw_symbols(fertilities[size_t(w) % fertilities.size()], symbols, rng));
  return lexicon;
}

constexpr size_t block = 2;  // words that a marker moves at once
// Its token: it comes after the words.
int32_t marker_of(int64_t words) { return tokens::first_word + int32_t(words); }

// The source positions in the order in which they are translated: 0, 1, 2 ... but for swapped blocks.
std::vector<size_t> reading_order(const Tokens& source, int32_t marker) {
  std::vector<size_t> order;
  for (size_t i = 0; i < source.size();) {
    if (source[i] != marker) {
      order.push_back(i++);
      continue;
    }
    for (size_t k = 0; k < block; ++k) order.push_back(i + 1 + block + k);
    for (size_t k = 0; k < block; ++k) order.push_back(i + 1 + k);
    i += 1 + 2 * block;
  }
  return order;
}

// Words, with a marker here and there where enough words are left for two blocks.
Tokens draw_sentence(int64_t length, int64_t words, Rng& rng) {
  Tokens source = draw_symbols(length, words, rng);
  const int32_t marker = marker_of(words);
  for (size_t i = 0; i + 2 * block < source.size(); ++i) {
    if (rng.uniform() >= 0.15) continue;
    source[i] = marker;
    i += 2 * block;
  }
  return source;
}

}  // namespace

Task copy_task(int64_t symbols) {
  auto draw = [=](int64_t length, Rng& rng) {
    Example pair{draw_symbols(length, symbols, rng), {}, {}};
    pair.target = pair.source;
    for (int32_t i = 0; i < int32_t(length); ++i) pair.gold.push_back(i);
    return pair;
  };
  return {"copy", draw, numbered("", symbols), numbered("", symbols)};
}

Task reverse_task(int64_t symbols) {
  auto draw = [=](int64_t length, Rng& rng) {
    Example pair{draw_symbols(length, symbols, rng), {}, {}};
    pair.target.assign(pair.source.rbegin(), pair.source.rend());
    for (int32_t i = 0; i < int32_t(length); ++i) pair.gold.push_back(int32_t(length) - 1 - i);
    return pair;
  };
  return {"reverse", draw, numbered("", symbols), numbered("", symbols)};
}

Task bigram_flip_task(int64_t symbols) {
  auto draw = [=](int64_t length, Rng& rng) {
    Example pair{draw_symbols(length, symbols, rng), {}, {}};
    for (int64_t i = 0; i < length; ++i) {
      const int64_t partner = i ^ 1;  // 0 1, 2 3, 4 5 ...
      pair.gold.push_back(int32_t(partner < length ? partner : i));
      pair.target.push_back(pair.source[size_t(pair.gold.back())]);
    }
    return pair;
  };
  return {"bigram_flip", draw, numbered("", symbols), numbered("", symbols)};
}

Task sort_task(int64_t symbols) {
  auto draw = [=](int64_t length, Rng& rng) {
    Example pair{draw_symbols(length, symbols, rng), {}, Tokens(size_t(length))};
    std::iota(pair.gold.begin(), pair.gold.end(), 0);
    std::ranges::stable_sort(pair.gold, {}, [&](int32_t i) { return pair.source[size_t(i)]; });
    for (const int32_t i : pair.gold) pair.target.push_back(pair.source[size_t(i)]);
    return pair;
  };
  return {"sort", draw, numbered("", symbols), numbered("", symbols)};
}

Task monotone_task(int64_t symbols) {
  constexpr int64_t most = 3;  // copies; source symbol w + symbols (n - 1) says: w, n times
  auto draw = [=](int64_t length, Rng& rng) {
    Example pair{draw_symbols(length, most * symbols, rng), {}, {}};
    for (int64_t i = 0; i < length; ++i) {
      const int64_t word = pair.source[size_t(i)] - tokens::first_word;
      const auto copies = size_t(word / symbols + 1);
      pair.target.insert(pair.target.end(), copies, tokens::first_word + int32_t(word % symbols));
      pair.gold.insert(pair.gold.end(), copies, int32_t(i));
    }
    return pair;
  };
  std::vector<std::string> source = numbered("", symbols);
  for (const char* times : {"x2", "x3"})
    for (int64_t i = 0; i < symbols; ++i) source.push_back(fmt::format("{}{}", i, times));
  return {"monotone", draw, source, numbered("", symbols)};
}

Task walk_task(int64_t rooms, int64_t doors) {
  Rng house(20170830);            // fixed: every run, whatever its seed, walks through the same house
  std::vector<int32_t> leads_to;  // room * doors + door
  for (int64_t i = 0; i < rooms * doors; ++i) leads_to.push_back(int32_t(house.integer(rooms)));
  auto draw = [=](int64_t length, Rng& rng) {
    Example pair{draw_symbols(length, doors, rng), {}, {}};
    int64_t room = 0;
    for (int64_t i = 0; i < length; ++i) {
      room = leads_to[size_t(room * doors + pair.source[size_t(i)] - tokens::first_word)];
      pair.target.push_back(tokens::first_word + int32_t(room));
      pair.gold.push_back(int32_t(i));
    }
    const Tokens there = pair.target;
    pair.target.push_back(tokens::first_word + int32_t(rooms));
    pair.target.insert(pair.target.end(), there.rbegin(), there.rend());
    pair.gold.resize(pair.target.size(), -1);
    return pair;
  };
  std::vector<std::string> target = numbered("", rooms);
  target.emplace_back("|");
  return {"walk", draw, numbered("d", doors), target};
}

Task alignment_task(int64_t words) {
  auto draw = [=, lexicon = make_lexicon(words, words)](int64_t length, Rng& rng) {
    Example pair;
    do {
      pair = {draw_sentence(length, words, rng), {}, {}};
      for (const size_t i : reading_order(pair.source, marker_of(words))) {
        for (const int32_t symbol : lexicon[size_t(pair.source[i] - tokens::first_word)]) {
          pair.target.push_back(symbol);
          pair.gold.push_back(int32_t(i));
        }
      }
    } while (pair.target.empty());  // every word gave nothing: draw another sentence
    return pair;
  };
  std::vector<std::string> source = numbered("w", words);
  source.emplace_back("<>");
  return {"alignment", draw, source, numbered("", words)};
}

std::vector<Example> generate(const Task& task, int64_t count, Lengths lengths, Rng& rng,
                              const std::vector<Example>& except) {
  std::set<Tokens> taken;
  for (const Example& e : except) taken.insert(e.source);
  std::vector<Example> drawn;
  int64_t refused = 0;
  while (int64_t(drawn.size()) < count) {
    const int64_t length = lengths.shortest + rng.integer(lengths.longest - lengths.shortest + 1);
    Example pair = task.draw(length, rng);
    if (!taken.contains(pair.source))
      drawn.push_back(std::move(pair));
    else if (++refused > 1000 * (count + 1))
      fail("{}: cannot draw {} sequences that differ from {} reserved ones", task.name, count, except.size());
  }
  return drawn;
}

}  // namespace heed::examples
