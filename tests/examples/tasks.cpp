#include "examples/support/tasks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "autograd/kernels/parallel.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/task_program.hpp"
#include "layers/models/tokens.hpp"
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

TEST_CASE("reverse is learned by a small model from three seeds") {
  kernels::set_threads(1);  // as the programs do
  for (const int64_t seed : {1, 2, 3}) {
    Rng rng = draw_from(Stream::data, seed);
    const Task task = reverse_task(8);
    const auto test = generate(task, 200, {3, 6}, rng);
    const auto train = generate(task, 10'000, {3, 6}, rng, test);
    const Settings settings{
        .scorer = "bilinear", .embed = 24, .hidden = 48, .steps = 600, .lr = 1e-2, .seed = seed};
    const auto model = make_model(settings, tokens::first_word + 8, tokens::first_word + 8);
    train_steps(*model, train, settings);
    const Evaluation result = evaluate(*model, test);
    CAPTURE(seed);
    CHECK(result.scores.sequence_accuracy >= 0.97);
    CHECK(result.aer <= 0.15);
  }
}
