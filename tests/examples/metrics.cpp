#include "examples/support/metrics.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/close.hpp"
#include "tests/support/errors.hpp"

using namespace heed::examples;
using heed::tests::close;
using heed::tests::error_of;

TEST_CASE("edit distance of known words") {
  const Tokens kitten = {10, 8, 19, 19, 4, 13}, sitting = {18, 8, 19, 19, 8, 13, 6};
  CHECK(edit_distance(kitten, sitting) == 3);
  CHECK(edit_distance(sitting, kitten) == 3);
  CHECK(edit_distance(kitten, kitten) == 0);
  CHECK(edit_distance({}, kitten) == 6);
  CHECK(edit_distance(kitten, {}) == 6);
}

TEST_CASE("scores, counted by hand") {
  // Right; one symbol substituted; one symbol missing at the front, which shifts all others.
  const std::vector<Tokens> references = {{1, 2, 3}, {4, 5, 6, 7}, {1, 2, 3}};
  const std::vector<Tokens> outputs = {{1, 2, 3}, {4, 9, 6, 7}, {2, 3}};
  const Scores s = score(outputs, references);
  CHECK(close(s.sequence_accuracy, 1.0 / 3, 1e-15, 0));
  CHECK(close(s.token_accuracy, 6.0 / 10, 1e-15, 0));
  CHECK(close(s.token_error_rate, 2.0 / 10, 1e-15, 0));
}

TEST_CASE("BLEU, counted by hand") {
  // the cat sat on the mat  /  the cat sat on a mat: unigrams 5/6, bigrams 3/5, trigrams 2/4, 4-grams 1/3.
  const std::vector<Tokens> reference = {{1, 2, 3, 4, 1, 5}}, output = {{1, 2, 3, 4, 9, 5}};
  CHECK(close(bleu(output, reference), std::pow(5.0 / 6 * 3 / 5 * 2 / 4 * 1 / 3, 0.25), 1e-14, 0));
  // Counts are clipped: of seven times `the`, the reference has two (Papineni et al. 2002, section 2.1), and
  // without a shared bigram the score is 0.
  CHECK(bleu({{1, 1, 1, 1, 1, 1, 1}}, reference) == 0);
  // Brevity: all n-grams are there, 5 of 6 symbols.
  CHECK(close(bleu({{1, 2, 3, 4, 1}}, reference), std::exp(1 - 6.0 / 5), 1e-14, 0));
  CHECK(close(bleu(reference, reference), 1, 1e-14, 0));
  // A corpus adds up counts and lengths; it is no mean over lines.
  const double corpus = bleu({{1, 2, 3, 4, 9, 5}, {6, 7, 8, 9}}, {{1, 2, 3, 4, 1, 5}, {6, 7, 8, 9}});
  CHECK(close(corpus, std::pow(9.0 / 10 * 6 / 8 * 4 / 6 * 2 / 4, 0.25), 1e-14, 0));
}

TEST_CASE("AER counts the symbols whose strongest slot is not the gold one") {
  const std::vector<double> weights = {0.2, 0.7, 0.1,   // gold 1: hit
                                       0.4, 0.4, 0.2,   // gold 1: the first of equals is 0
                                       0.1, 0.1, 0.8,   // no gold: does not count
                                       0.0, 0.1, 0.9};  // gold 2: hit
  AlignmentErrors errors;
  errors.add(std::span<const double>(weights), 3, {1, 1, -1, 2});
  CHECK(close(errors.rate(), 1.0 / 3, 1e-15, 0));
  errors.miss({0, -1, 2});
  CHECK(close(errors.rate(), 3.0 / 5, 1e-15, 0));
}

TEST_CASE("nothing to score is an error") {
  CHECK(error_of([] { score({}, {}); }) == "score: there is nothing to score");
  CHECK(error_of([] { bleu({{1}}, {}); }) == "bleu: 1 outputs for 0 references");
}
