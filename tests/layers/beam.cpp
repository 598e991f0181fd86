// Beam search against enumeration, teacher forcing and greedy decoding.
#include "layers/models/beam.hpp"

#include <set>

#include "optim/adam.hpp"
#include "tests/layers/decoding.hpp"

namespace heed::tests {
namespace {

constexpr BeamOptions some_penalties[] = {
    {.width = 64, .n_best = 64},
    {.width = 64, .length_penalty = 0.8, .n_best = 64},
    {.width = 64, .coverage_penalty = 0.4, .n_best = 64},
    {.width = 64, .length_penalty = 1.2, .coverage_penalty = 0.7, .n_best = 64}};

// Every answer of at most 4 tokens of the words 3 and 4.
std::vector<std::pair<Tokens, bool>> every_answer() {
  std::vector<std::pair<Tokens, bool>> all;
  for (size_t length = 0; length <= 4; ++length) {
    for (size_t bits = 0; bits < (size_t{1} << length); ++bits) {
      Tokens words;
      for (size_t i = 0; i < length; ++i) words.push_back((bits >> i & 1U) == 0 ? 3 : 4);
      all.emplace_back(words, length < 4);
    }
  }
  return all;
}

TEST_CASE(
    "beam search: wide enough it is enumeration, with and without penalties, and stopping loses nothing") {
  for_all_models(5, [](const Seq2Seq& model, int64_t) {
    Rng rng(1);
    const Ids source = random_source(rng);
    for (BeamOptions options : some_penalties) {
      const Answers answers = beam_search(model, source, lengths, 4, options);
      options.n_best = 2;
      const Answers two = beam_search(model, source, lengths, 4, options);
      for (int64_t b = 0; b < B; ++b) {
        std::vector<double> expected;
        for (const auto& [words, ended] : every_answer()) {
          expected.push_back(forced(model, source, b, words, ended, options).score);
        }
        std::ranges::sort(expected, std::ranges::greater());
        const std::vector<Decoded>& found = answers[static_cast<size_t>(b)];
        REQUIRE(found.size() == 31);
        for (size_t i = 0; i < found.size(); ++i) CHECK(near(found[i].score, expected[i]));
        REQUIRE(two[static_cast<size_t>(b)].size() == 2);
        for (size_t i = 0; i < 2; ++i) check_same(two[static_cast<size_t>(b)][i], found[i]);
      }
    }
  });
}

TEST_CASE("beam search: scores, log p and attention are those of teacher forcing; sorted, no two alike") {
  for_all_models(9, [](const Seq2Seq& model, int64_t) {
    Rng rng(2);
    const Ids source = random_source(rng);
    const BeamOptions options{.width = 4, .length_penalty = 0.7, .coverage_penalty = 0.3, .n_best = 4};
    const Answers answers = beam_search(model, source, lengths, 7, options);
    REQUIRE(answers.size() == B);
    for (int64_t b = 0; b < B; ++b) {
      const std::vector<Decoded>& list = answers[static_cast<size_t>(b)];
      CHECK(list.size() == 4);
      CHECK(std::ranges::is_sorted(list, std::ranges::greater(), &Decoded::score));
      std::set<std::pair<Tokens, bool>> different;
      for (const Decoded& answer : list) {
        different.emplace(answer.tokens, answer.ended);
        CHECK(answer.ended != (answer.tokens.size() == 7));
        CHECK(std::ranges::all_of(answer.tokens, [](int32_t token) { return token > tokens::eos; }));
        const Forced expected = forced(model, source, b, answer.tokens, answer.ended, options);
        CHECK(near(answer.log_probability, expected.log_p));
        CHECK(near(answer.score, expected.score));
        REQUIRE(answer.weights.defined() == expected.weights.defined());
        if (!expected.weights.defined()) continue;
        const int64_t n = lengths[static_cast<size_t>(b)];
        CHECK(answer.weights.shape() == Shape{static_cast<int64_t>(answer.tokens.size()), S});
        CHECK(close_all(slice(answer.weights, 1, 0, n), expected.weights));
      }
      CHECK(different.size() == list.size());
    }
  });
}

TEST_CASE("beam search: width 1 is greedy, whatever the penalties") {
  for_all_models(9, [](const Seq2Seq& model, int64_t) {
    Rng rng(3);
    const Ids source = random_source(rng);
    const std::vector<Decoded> expected = greedy(model, source, lengths, 10);
    for (const double alpha : {0.0, 1.0}) {
      const BeamOptions options{.width = 1, .length_penalty = alpha, .coverage_penalty = alpha};
      const Answers answers = beam_search(model, source, lengths, 10, options);
      for (size_t b = 0; b < B; ++b) {
        REQUIRE(answers[b].size() == 1);
        check_same(answers[b][0], expected[b]);
        CHECK(near(expected[b].score, expected[b].log_probability));
      }
    }
  });
}

void check_not_below_greedy(const Seq2Seq& model, const Ids& source) {
  const std::vector<Decoded> first = greedy(model, source, lengths, 8);
  for (const int64_t width : {2, 3, 5, 20}) {
    for (const double alpha : {0.0, 0.6}) {
      const BeamOptions options{.width = width, .length_penalty = alpha, .coverage_penalty = alpha / 2};
      const Answers answers = beam_search(model, source, lengths, 8, options);
      for (int64_t b = 0; b < B; ++b) {
        const Decoded& answer = first[static_cast<size_t>(b)];
        const double score = forced(model, source, b, answer.tokens, answer.ended, options).score;
        CHECK(answers[static_cast<size_t>(b)][0].score >= score - 10 * tolerance * std::abs(score));
      }
    }
  }
}

TEST_CASE("beam search: the best answer never scores below greedy's, of fresh and of trained models") {
  for_all_models(9, [](const Seq2Seq& model, int64_t) {
    Rng rng(4);
    check_not_below_greedy(model, random_source(rng));
  });
  Rng rng(5);
  std::vector<std::unique_ptr<Seq2Seq>> models;
  models.push_back(
      std::make_unique<RecurrentSeq2Seq>(recurrent_options(9, DecoderOrder::input_feeding, false), rng));
  models.push_back(std::make_unique<TransformerSeq2Seq>(transformer_options(9), rng));
  for (const auto& model : models) {
    Adam adam(parameters(*model), {.lr = 1e-2});
    for (int step = 0; step < 40; ++step) {  // to copy: long enough to prefer some words, not to be sure
      const Ids source = random_ids({8, S}, tokens::first_word, 9, rng);
      Ids input({8, S + 1}), output({8, S + 1});
      for (size_t b = 0; b < 8; ++b) {
        for (size_t s = 0; s <= S; ++s) {
          input.values()[b * (S + 1) + s] = s == 0 ? tokens::bos : source.values()[b * S + s - 1];
          output.values()[b * (S + 1) + s] = s == S ? tokens::eos : source.values()[b * S + s];
        }
      }
      adam.zero_grad();
      backward(cross_entropy((*model)(source, Tokens(8, S), input, {}).logits, output));
      adam.step();
    }
    for (int i = 0; i < 5; ++i) check_not_below_greedy(*model, random_source(rng));
  }
}

// The likeliest first word, 2, is one of three that follow each other closely; its continuation 5 falls out
// of a beam of 2, though after it the end, 0, is certain.
Markov trap() {
  std::vector<std::vector<double>> p(12, std::vector<double>(12, 0.1));
  for (std::vector<double>& row : p) row[0] = row[1] = 0;
  p[1] = {0, 0, .4, .35, .25, 0, 0, 0, 0, 0, 0, 0};
  p[2] = {0, 0, 0, 0, 0, .34, .33, .33, 0, 0, 0, 0};
  p[3] = {0, 0, 0, 0, 0, 0, 0, 0, .6, .4, 0, 0};
  p[5] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  return Markov(p);
}

TEST_CASE("beam search: the greedy hypothesis goes on when it falls out of the beam") {
  const Markov model = trap();
  const Ids first({2}, {1, 3});
  const Limits limits{.max_length = 6, .end = 0};
  const std::vector<Decoded> expected = greedy(model, {}, first, limits);
  CHECK(expected[0].tokens == Tokens{2, 5});
  CHECK(near(expected[0].log_probability, std::log(.4 * .34)));
  model.rows.clear();
  const Answers answers = beam_search(model, {}, first, limits, {.width = 2});
  check_same(answers[0][0], expected[0]);
  CHECK(model.rows[2] == 3 + 2);  // two hypotheses and greedy's; the other row has greedy's in its beam
}

TEST_CASE("beam search: a row stops as soon as nothing can come among its n best any more") {
  std::vector<std::vector<double>> p{{1, 0, 0}, {.6, .3, .1}, {.5, .25, .25}};
  const Markov model(p);
  const auto steps = [&](const Ids& first, const BeamOptions& options) {
    model.rows.clear();
    beam_search(model, {}, first, {.max_length = 20, .end = 0}, options);
    return model.rows;
  };
  using Rows = std::vector<int64_t>;
  CHECK(steps(Ids({1}, {1}), {.width = 2}) == Rows{1});  // .6 now, .3 at most later
  CHECK(steps(Ids({1}, {2}), {.width = 2}) == Rows{1});  // an equal one comes too late
  // The second best: .3 goes on and ends with .18, of which .09 remains.
  CHECK(steps(Ids({1}, {1}), {.width = 3, .n_best = 2}) == Rows{1, 2});
  // A longer answer may be worth more: log .3 / ((5 + 20) / 6) is above log .6 / 1.
  CHECK(steps(Ids({1}, {1}), {.width = 2, .length_penalty = 1}).size() > 1);
  // Of two rows one goes on alone, whatever the other did.
  const Markov ends({{1, 0, 0}, {1, 0, 0}, {.1, 0, .9}});
  beam_search(ends, {}, Ids({2}, {1, 2}), {.max_length = 3, .end = 0}, {.width = 2});
  CHECK(ends.rows == Rows{2, 1, 1});
}

TEST_CASE("beam search: wider than the vocabulary, without an end, without enough answers") {
  const Markov model({{.5, .5}, {.25, .75}});
  const Answers all = beam_search(model, {}, Ids({1}, {0}), {.max_length = 2}, {.width = 9, .n_best = 9});
  REQUIRE(all[0].size() == 4);
  const Tokens best[] = {{1, 1}, {0, 0}, {0, 1}, {1, 0}};  // the first of equals before the second
  for (size_t i = 0; i < 4; ++i) {
    CHECK(all[0][i].tokens == best[i]);
    CHECK_FALSE(all[0][i].ended);
    CHECK_FALSE(all[0][i].weights.defined());
  }
  CHECK(near(all[0][0].score, std::log(.375)));
  // Of equals the first is found.
  const Markov equals(std::vector<std::vector<double>>(3, std::vector<double>(3, 1.0 / 3)));
  CHECK(beam_search(equals, {}, Ids({1}, {0}), {.max_length = 1}, {.width = 3})[0][0].tokens == Tokens{0});
  const Limits without{.max_length = 2, .never = {1}};
  const Answers one = beam_search(model, {}, Ids({1}, {0}), without, {.width = 9, .n_best = 9});
  REQUIRE(one[0].size() == 1);
  CHECK(one[0][0].tokens == Tokens{0, 0});
  CHECK(near(one[0][0].score, std::log(.25)));
}

}  // namespace
}  // namespace heed::tests
