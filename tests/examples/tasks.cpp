#include "examples/support/tasks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tests/support/errors.hpp"

using namespace heed;
using namespace heed::examples;
using heed::tests::error_of;

TEST_CASE("copy and reverse: every target symbol is the one at its gold position") {
  Rng rng(3);
  for (const Task& task : {copy_task(16), reverse_task(16)}) {
    for (int64_t length = 1; length < 20; ++length) {
      const Example e = task.draw(length, rng);
      REQUIRE(int64_t(e.source.size()) == length);
      REQUIRE(e.target.size() == e.source.size());
      REQUIRE(e.gold.size() == e.target.size());
      for (size_t i = 0; i < e.target.size(); ++i) {
        CHECK(e.target[i] == e.source[size_t(e.gold[i])]);
        CHECK(e.gold[i] == int32_t(task.name == "copy" ? i : e.target.size() - 1 - i));
        CHECK(e.source[i] >= 4);
        CHECK(e.source[i] < 20);
      }
    }
  }
}

TEST_CASE("sort: the target rises, gold positions are a permutation, equals keep their order") {
  Rng rng(5);
  const Task task = sort_task(6);
  for (int64_t length = 1; length < 20; ++length) {
    const Example e = task.draw(length, rng);
    REQUIRE(e.target.size() == e.source.size());
    CHECK(std::ranges::is_sorted(e.target));
    CHECK(std::set<int32_t>(e.gold.begin(), e.gold.end()).size() == e.source.size());
    for (size_t i = 0; i < e.target.size(); ++i) {
      CHECK(e.target[i] == e.source[size_t(e.gold[i])]);
      if (i > 0 && e.target[i] == e.target[i - 1]) CHECK(e.gold[i] > e.gold[i - 1]);
    }
  }
}

TEST_CASE("bigram_flip: partners change places, a symbol without one stays") {
  Rng rng(4);
  for (int64_t length = 1; length < 12; ++length) {
    const Example e = bigram_flip_task(16).draw(length, rng);
    REQUIRE(int64_t(e.source.size()) == length);
    Tokens expected = e.source;
    for (size_t i = 0; i + 1 < expected.size(); i += 2) std::swap(expected[i], expected[i + 1]);
    CHECK(e.target == expected);
    REQUIRE(e.gold.size() == e.target.size());
    for (size_t i = 0; i < e.gold.size(); ++i) {
      CHECK(e.target[i] == e.source[size_t(e.gold[i])]);
      CHECK(std::abs(e.gold[i] - int32_t(i)) == (length % 2 == 1 && i + 1 == e.gold.size() ? 0 : 1));
    }
  }
}

TEST_CASE("monotone: symbols as often as the source says, in its order, and every count as likely for each") {
  constexpr int32_t first = 4, symbols = 8;
  const Task task = monotone_task(symbols);
  CHECK(task.source_symbols[symbols + 3] == "3x2");
  CHECK(task.target_symbols.size() == symbols);
  Rng rng(5);
  std::map<std::pair<int32_t, size_t>, int> counts;  // of a symbol, written so often
  int repeats = 0, drawn = 0;
  for (int n = 0; n < 1000; ++n) {
    const Example e = task.draw(3 + n % 10, rng);
    Tokens expected, gold;
    for (size_t i = 0; i < e.source.size(); ++i) {
      const int32_t symbol = first + (e.source[i] - first) % symbols;
      const auto copies = size_t(1 + (e.source[i] - first) / symbols);
      expected.insert(expected.end(), copies, symbol);
      gold.insert(gold.end(), copies, int32_t(i));
      ++counts[{symbol, copies}];
      ++drawn;
      if (i > 0) repeats += symbol == first + (e.source[i - 1] - first) % symbols;
    }
    CHECK(e.target == expected);
    CHECK(e.gold == gold);
  }
  CHECK(counts.size() == 3 * symbols);
  for (const auto& [what, count] : counts) CHECK(std::abs(count - drawn / 24.0) < 0.25 * drawn / 24);
  CHECK(repeats > drawn / 16);  // a run of one symbol may be several source symbols
}

TEST_CASE(
    "walk: a door of a room leads to one room, rooms come back in reverse, and cannot be told from doors") {
  constexpr int32_t first = 4, rooms = 16, doors = 16, bar = first + rooms;
  const Task task = walk_task(rooms, doors);
  CHECK(task.target_symbols.size() == rooms + 1);
  Rng rng(6);
  std::map<std::pair<int32_t, int32_t>, int32_t> table;             // (room, door) -> room
  std::map<std::pair<int32_t, int32_t>, std::set<int32_t>> before;  // (room, door that led here) -> rooms
  for (int n = 0; n < 3000; ++n) {
    const size_t length = 3 + n % 10;
    const Example e = task.draw(int64_t(length), rng);
    REQUIRE(e.source.size() == length);
    REQUIRE(e.target.size() == 2 * length + 1);
    REQUIRE(e.gold.size() == e.target.size());
    CHECK(e.target[length] == bar);
    int32_t room = first;
    for (size_t i = 0; i < length; ++i) {
      const auto [entry, fresh] = table.try_emplace({room, e.source[i]}, e.target[i]);
      CHECK(entry->second == e.target[i]);
      before[{e.target[i], e.source[i]}].insert(room);
      room = e.target[i];
      CHECK(e.gold[i] == int32_t(i));
      CHECK(e.target[2 * length - i] == e.target[i]);
      CHECK(e.gold[length + i] == -1);
    }
    CHECK(e.gold.back() == -1);
  }
  CHECK(table.size() == rooms * doors);
  size_t unclear = 0;
  for (const auto& [place, from] : before) unclear += from.size() > 1;
  CHECK(2 * unclear > before.size() / 2);
}

TEST_CASE("alignment: words translate alike wherever they stand, and markers swap two blocks of two") {
  constexpr int words = 30;
  constexpr int32_t first = 4, marker = first + words;
  const Task task = alignment_task(words);
  CHECK(task.source_symbols.size() == words + 1);
  Rng rng(5);
  std::map<int32_t, Tokens> lexicon;  // as seen in the data, by way of the gold alignment
  std::set<size_t> fertilities;
  int swaps = 0;
  for (int n = 0; n < 2000; ++n) {
    const Example e = task.draw(3 + n % 10, rng);
    REQUIRE(e.gold.size() == e.target.size());
    CHECK(!e.target.empty());
    // What each position gave, and in which order positions come first.
    std::map<int32_t, Tokens> given;
    for (size_t t = 0; t < e.gold.size(); ++t) given[e.gold[t]].push_back(e.target[t]);
    // The order in which a reader who knows the rule alone visits the positions.
    std::vector<int32_t> order;
    for (int32_t i = 0; i < int32_t(e.source.size()); ++i) {
      if (e.source[size_t(i)] != marker) {
        order.push_back(i);
        continue;
      }
      REQUIRE(i + 4 < int32_t(e.source.size()));
      order.insert(order.end(), {i + 3, i + 4, i + 1, i + 2});
      for (int32_t k = 1; k <= 4; ++k) CHECK(e.source[size_t(i + k)] != marker);
      ++swaps;
      i += 4;
    }
    Tokens gold;
    for (const int32_t i : order) {
      const Tokens& symbols = given[i];
      const auto [entry, fresh] = lexicon.try_emplace(e.source[size_t(i)], symbols);
      CHECK(entry->second == symbols);
      fertilities.insert(symbols.size());
      gold.insert(gold.end(), symbols.size(), i);
    }
    CHECK(gold == e.gold);
  }
  CHECK(lexicon.size() == words);
  CHECK(fertilities == std::set<size_t>{0, 1, 2, 3});
  CHECK(swaps > 500);
}

TEST_CASE("the lexicon is fixed: two tasks translate alike") {
  Rng a(9), b(9);
  for (int n = 0; n < 20; ++n) {
    const Example x = alignment_task(30).draw(8, a), y = alignment_task(30).draw(8, b);
    CHECK(x.source == y.source);
    CHECK(x.target == y.target);
  }
}

TEST_CASE("generate keeps to the lengths and away from what is reserved") {
  Rng rng(1);
  const Task task = copy_task(3);
  const auto reserved = generate(task, 20, {3, 4}, rng);
  const auto drawn = generate(task, 500, {3, 4}, rng, reserved);
  CHECK(drawn.size() == 500);
  for (const Example& e : drawn) {
    CHECK(e.source.size() >= 3);
    CHECK(e.source.size() <= 4);
    for (const Example& r : reserved) CHECK(e.source != r.source);
  }
  std::vector<Example> everything;
  for (int32_t symbol = 4; symbol < 7; ++symbol) everything.push_back({{symbol}, {symbol}, {0}});
  CHECK(error_of([&] {
          generate(task, 1, {1, 1}, rng, everything);
        }) == "copy: cannot draw 1 sequences that differ from 3 reserved ones");
}
