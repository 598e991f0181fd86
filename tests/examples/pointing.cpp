// The data of the programs whose models point: sort, copy_unseen.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include "examples/support/sorting.hpp"
#include "examples/support/unseen.hpp"
#include "layers/models/tokens.hpp"
#include "tests/support/errors.hpp"

using namespace heed;
using namespace heed::examples;
using heed::tests::error_of;

TEST_CASE("sort: each row's answer names its numbers from the least to the greatest") {
  Rng rng(1);
  const Unsorted u = draw_unsorted(20, 7, rng);
  CHECK(u.items.shape() == Shape{20, 7, number_features});
  CHECK(u.lengths == std::vector<int32_t>(20, 7));
  for (int64_t b = 0; b < 20; ++b) {
    std::set<int32_t> positions;
    double last = -1;
    for (int64_t t = 0; t < 7; ++t) {
      const int32_t s = u.sorted[b * 7 + t];
      positions.insert(s);
      const double x = u.numbers[size_t(b * 7 + s)];
      CHECK((x > last && x < 1));
      last = x;
    }
    CHECK(positions == std::set<int32_t>{0, 1, 2, 3, 4, 5, 6});
  }
  // What the net reads: the number from -2 to 2, then sine and cosine of pi x, 2 pi x, 4 pi x, ...
  for (int64_t i = 0; i < 20; ++i) {
    const double x = u.numbers[size_t(i)];
    const real* features = u.items.data() + i * number_features;
    CHECK(std::abs(double(features[0]) - (4 * x - 2)) < 1e-6);
    CHECK(std::abs(double(features[1]) - std::sin(3.14159265358979 * x)) < 1e-6);
    CHECK(std::abs(double(features[6]) - std::cos(4 * 3.14159265358979 * x)) < 1e-6);
  }
}

TEST_CASE("sort: crowded rows lie in a part of the interval, every other one") {
  Rng rng(3);
  const Unsorted u = draw_unsorted(400, 50, rng, true);
  int narrow = 0;
  for (int64_t b = 0; b < 400; ++b) {
    const auto row = std::span(u.numbers).subspan(size_t(50 * b), 50);
    const auto [least, greatest] = std::ranges::minmax(row);
    CHECK((least >= 0 && greatest < 1));
    narrow += greatest - least < 0.7;
    if (b % 2 == 0) CHECK(greatest - least > 0.7);
  }
  CHECK(narrow > 80);
}

TEST_CASE("sort: a row is right when all of it is") {
  const Ids expected({3, 2}, {1, 2, 3, 4, 5, 6});
  CHECK(share_of_equal_rows(expected, expected) == 1);
  CHECK(share_of_equal_rows(Ids({3, 2}, {1, 2, 3, 5, 0, 6}), expected) == 1.0 / 3);
  CHECK(error_of([&] {
          share_of_equal_rows(Ids({2, 3}), expected);
        }) == "share_of_equal_rows: (2, 3) and (3, 2) are not the same (B, T)");
}

TEST_CASE("copy_unseen: words that the vocabulary lacks are numbered per source, repeated ones alike") {
  const Vocabulary vocabulary(std::vector<std::string>{"a", "b"});
  const auto v = int32_t(vocabulary.size());
  const NumberedSource source = number_source({"zu", "a", "bato", "zu", "b"}, vocabulary);
  CHECK(source.tokens == Tokens{v, tokens::first_word, v + 1, v, tokens::first_word + 1});
  CHECK(source.unknown == std::vector<std::string>{"zu", "bato"});
}

TEST_CASE("copy_unseen: words differ, pairs are copies, four words in five are others") {
  Rng rng(2);
  const std::vector<std::string> words = make_words(300, rng);
  CHECK(std::set<std::string>(words.begin(), words.end()).size() == 300);
  const Vocabulary vocabulary(std::vector<std::string>(words.begin(), words.begin() + 20));
  const std::vector<std::string> others(words.begin() + 20, words.end());
  const CopyData data = draw_copies(500, {3, 10}, vocabulary, others, rng);
  REQUIRE(data.pairs.size() == 500);
  int all = 0, unknown = 0;
  for (size_t i = 0; i < 500; ++i) {
    const Example& pair = data.pairs[i];
    CHECK(pair.target == pair.source);
    CHECK(pair.source.size() == data.words[i].size());
    CHECK((pair.source.size() >= 3 && pair.source.size() <= 10));
    for (size_t t = 0; t < pair.source.size(); ++t) {
      CHECK(pair.gold[t] == int32_t(t));
      const bool temporary = pair.source[t] >= vocabulary.size();
      CHECK(temporary == (std::ranges::find(others, data.words[i][t]) != others.end()));
      if (temporary)
        CHECK(data.sources[i].unknown[size_t(pair.source[t] - vocabulary.size())] == data.words[i][t]);
      ++all;
      unknown += temporary;
    }
  }
  CHECK(unknown > 0.75 * all);
  CHECK(unknown < 0.85 * all);
}
