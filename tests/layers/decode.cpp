// What greedy decoding, beam search and sampling have in common, and sampling against exact distributions.
// Beam search: beam.cpp; greedy decoding: models.cpp.
#include "layers/models/decode.hpp"

#include <array>
#include <set>

#include "layers/models/recurrent_lm.hpp"
#include "layers/models/sampling.hpp"
#include "tests/layers/decoding.hpp"

namespace heed::tests {
namespace {

TEST_CASE("decoding: a batch is each row alone") {
  for_all_models(9, [](const Seq2Seq& model, int64_t) {
    Rng rng(6);
    const Ids source = random_source(rng);
    const BeamOptions options{.width = 3, .length_penalty = 0.5, .coverage_penalty = 0.2, .n_best = 3};
    const Answers beams = beam_search(model, source, lengths, 8, options);
    const std::vector<Decoded> likeliest = greedy(model, source, lengths, 8);
    for (int64_t b = 0; b < B; ++b) {
      const auto at = static_cast<size_t>(b);
      const Tokens n{lengths[at]};
      check_same(likeliest[at], greedy(model, row(source, b), n, 8)[0]);
      const Answers alone = beam_search(model, row(source, b), n, 8, options);
      REQUIRE(alone[0].size() == beams[at].size());
      for (size_t i = 0; i < beams[at].size(); ++i) check_same(beams[at][i], alone[0][i]);
    }
  });
}

// log p of `said` after `prompt`, by the whole model at once.
double log_p_after(const RecurrentLM& model, Tokens prompt, const Tokens& said) {
  const NoGrad no_grad;
  const size_t before = prompt.size();
  prompt.insert(prompt.end(), said.begin(), said.end());
  const auto length = static_cast<int64_t>(prompt.size());
  const Tensor log_p = log_softmax(model(Ids({1, length}, prompt)).logits);
  double sum = 0;
  for (size_t t = before; t < prompt.size(); ++t) {
    sum += log_p.data()[static_cast<int64_t>(t - 1) * log_p.size(2) + prompt[t]];
  }
  return sum;
}

TEST_CASE("decoding: language models go on from what they were told, in every way") {
  for (const LookBack look : {LookBack::nothing, LookBack::states, LookBack::key_value,
                              LookBack::key_value_predict, LookBack::ngram, LookBack::intra}) {
    CAPTURE(static_cast<int>(look));
    Rng rng(7);
    const RecurrentLM model({.vocabulary = 4, .look = look, .embed = 5, .hidden = 6}, rng);
    scatter(model, 8);
    const Tokens prompts[] = {{0, 1, 2}, {3, 1, 0}};
    DecoderState state = model.start(2);
    for (size_t t = 0; t < 2; ++t) model.step(state, Ids({2}, {prompts[0][t], prompts[1][t]}));
    const Ids last({2}, {2, 0});
    const Limits limits{.max_length = 4};
    const std::vector<Decoded> likeliest = greedy(model, state, last, limits);
    const Answers every = beam_search(model, state, last, limits, {.width = 256, .n_best = 256});
    const std::vector<Decoded> drawn = sample_answers(model, state, last, limits, {}, rng);
    for (size_t b = 0; b < 2; ++b) {
      CHECK(every[b].size() == 256);
      double sum = 0;
      for (const Decoded& answer : every[b]) sum += std::exp(answer.log_probability);
      CHECK(near(sum, 1));
      CHECK(every[b][0].log_probability >= likeliest[b].log_probability - tolerance);
      for (const Decoded& answer : {likeliest[b], every[b][0], every[b][255], drawn[b]}) {
        CHECK(answer.tokens.size() == 4);
        CHECK(near(answer.log_probability, log_p_after(model, prompts[b], answer.tokens)));
        CHECK_FALSE(answer.weights.defined());
      }
    }
  }
}

// p^(1 / temperature), of the k likeliest, of the fewest that reach a share; by the definition.
std::vector<double> truncated(std::vector<double> p, const SampleOptions& options) {
  const auto normalize = [&] {
    double sum = 0;
    for (const double x : p) sum += x;
    for (double& x : p) x /= sum;
  };
  const auto keep = [&](size_t count) {
    std::vector<size_t> order(p.size());
    for (size_t i = 0; i < p.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, std::ranges::greater(), [&](size_t i) { return p[i]; });
    for (size_t i = count; i < p.size(); ++i) p[order[i]] = 0;
    normalize();
  };
  for (double& x : p) x = std::pow(x, 1 / options.temperature);
  normalize();
  if (options.top_k > 0) keep(std::min(p.size(), static_cast<size_t>(options.top_k)));
  std::vector<double> falling = p;
  std::ranges::sort(falling, std::ranges::greater());
  double share = 0;
  size_t count = 0;
  while (count < p.size() && share < options.top_p && falling[count] > 0) share += falling[count++];
  keep(count);
  return p;
}

TEST_CASE(
    "sampling: tokens come as often as the truncated distribution says, for temperature, top k and top p") {
  const std::vector<double> p{.3, .05, .2, .2, .15, .1, 0};
  const Markov model(std::vector<std::vector<double>>(7, p));
  constexpr int64_t rows = 20'000;
  for (const SampleOptions& options :
       {SampleOptions{}, SampleOptions{.temperature = 0.5}, SampleOptions{.temperature = 3},
        SampleOptions{.top_k = 2}, SampleOptions{.top_k = 100}, SampleOptions{.top_p = 0.6},
        SampleOptions{.top_p = 0.3 - 1e-4}, SampleOptions{.temperature = 0.7, .top_k = 4, .top_p = 0.8}}) {
    Rng rng(9);
    const std::vector<double> expected = truncated(p, options);
    const Limits limits{.max_length = 2};
    const std::vector<Decoded> answers =
        sample_answers(model, {}, Ids({rows}, Tokens(rows, 0)), limits, options, rng);
    std::array<std::array<double, 7>, 2> counts{};
    for (const Decoded& answer : answers) {
      double log_p = 0;
      for (size_t t = 0; t < 2; ++t) {
        const auto token = static_cast<size_t>(answer.tokens[t]);
        ++counts.at(t).at(token);
        log_p += std::log(p[token]);
      }
      REQUIRE(near(answer.log_probability, log_p));  // not of what it was drawn from
    }
    for (const auto& count : counts) {
      for (size_t v = 0; v < 7; ++v) {
        CAPTURE(v);
        const double deviation = std::sqrt(expected[v] * (1 - expected[v]) / rows);
        CHECK(std::abs(count.at(v) / rows - expected[v]) <= 4.5 * deviation);
      }
    }
  }
}

TEST_CASE(
    "sampling: the likeliest of one is greedy's; a seed's answers are the same, whatever the other rows "
    "are") {
  for_all_models(9, [](const Seq2Seq& model, int64_t) {
    Rng rng(10);
    const Ids source = random_source(rng);
    Rng any(11);
    const std::vector<Decoded> likeliest = greedy(model, source, lengths, 8);
    const std::vector<Decoded> one = sample_answers(model, source, lengths, 8, {.top_k = 1}, any);
    const auto drawn = [&](uint64_t seed) {
      Rng own(seed);
      return sample_answers(model, source, lengths, 8, {.temperature = 2}, own);
    };
    const std::vector<Decoded> a = drawn(1), b = drawn(1);
    for (size_t i = 0; i < B; ++i) {
      check_same(one[i], likeliest[i]);
      check_same(a[i], b[i]);
      CHECK(std::ranges::all_of(a[i].tokens, [](int32_t token) { return token > tokens::eos; }));
      const Forced expected = forced(model, source, static_cast<int64_t>(i), a[i].tokens, a[i].ended, {});
      CHECK(near(a[i].log_probability, expected.log_p));
    }
    Rng own(1);
    check_same(a[0],
               sample_answers(model, row(source, 0), Tokens{lengths[0]}, 8, {.temperature = 2}, own)[0]);
  });
  // Of equally likely ones the first few.
  const Markov equals(std::vector<std::vector<double>>(64, std::vector<double>(64, 1.0 / 64)));
  Rng generator(14);
  for (const SampleOptions& options : {SampleOptions{.top_k = 5}, SampleOptions{.top_p = 4.5 / 64}}) {
    std::set<int32_t> drawn;
    for (const Decoded& answer :
         sample_answers(equals, {}, Ids({200}), {.max_length = 1}, options, generator)) {
      drawn.insert(answer.tokens[0]);
    }
    CHECK(drawn == std::set<int32_t>{0, 1, 2, 3, 4});
  }
  // Twice from one generator is not twice the same; repeated rows are several samples.
  const Markov model(std::vector<std::vector<double>>(6, std::vector<double>(6, 1.0 / 6)));
  Rng rng(12);
  std::set<Tokens> different;
  for (int i = 0; i < 2; ++i) {
    for (const Decoded& answer : sample_answers(model, {}, Ids({5}), {.max_length = 12}, {}, rng)) {
      different.insert(answer.tokens);
    }
  }
  CHECK(different.size() == 10);
}

TEST_CASE("decoding: what cannot be is one sentence") {
  const Markov model({{.5, .5}, {0, 1}});
  const Markov nothing({{0, 1}, {.5, .5}});
  const Markov broken({{1, 0}, {std::nan(""), 1}});
  Rng rng(13);
  const Ids first({1}, {0});
  const auto beam = [&](const BeamOptions& options, const Limits& limits = {.max_length = 2}) {
    return error_of([&] { beam_search(model, {}, first, limits, options); });
  };
  const auto sampling = [&](const SampleOptions& options) {
    return error_of([&] { sample_answers(model, {}, first, {.max_length = 2}, options, rng); });
  };
  CHECK(beam({.width = 0}) == "beam_search: n_best 1 is outside [1, width 0]");
  CHECK(beam({.width = 2, .n_best = 3}) == "beam_search: n_best 3 is outside [1, width 2]");
  CHECK(beam({.length_penalty = -1}) ==
        "beam_search: length_penalty -1 and coverage_penalty 0 must be at least 0, and finite");
  CHECK(beam({}, {.max_length = 0}) == "beam_search: max_length 0 must be at least 1");
  CHECK(beam({}, {.max_length = 1, .end = 2}) == "beam_search: a vocabulary of 2 has no end, token 2");
  CHECK(beam({}, {.max_length = 1, .end = -2}) ==
        "beam_search: end -2 is no token, and not -1, which stands for none");
  CHECK(beam({}, {.max_length = 1, .never = {5}}) ==
        "beam_search: token 5, which must not come, is outside [0, 2)");
  CHECK(beam({}, {.max_length = 1, .never = {0, 1}}) ==
        "beam_search: no token has a probability at step 1 of row 0");
  CHECK(error_of([&] { greedy(nothing, {}, Ids({1}, {0}), {.max_length = 1, .never = {1}}); }) ==
        "greedy: no token has a probability at step 1 of row 0");
  CHECK(error_of([&] {
          greedy(model, {}, Ids({1, 1}), {.max_length = 1});
        }) == "greedy: previous tokens are (1, 1), wants (B) with B at least 1");
  CHECK(error_of([&] {
          greedy(broken, {}, Ids({2}, {0, 1}), {.max_length = 2});
        }) == "greedy: log p of token 0 is nan at step 1 of row 1");
  CHECK(error_of([&] { beam_search(broken, {}, Ids({1}, {1}), {.max_length = 2}); }) ==
        "beam_search: log p of token 0 is nan at step 1 of row 0");
  CHECK(sampling({.temperature = 0}) ==
        "sample_answers: temperature 0 must be above 0, and finite; greedy takes the likeliest");
  CHECK(sampling({.top_k = -1}) == "sample_answers: top_k -1 must be at least 0");
  CHECK(sampling({.top_p = 0}) == "sample_answers: top_p 0 is outside (0, 1]");
  CHECK(sampling({.top_p = std::nan("")}) == "sample_answers: top_p nan is outside (0, 1]");
}

}  // namespace
}  // namespace heed::tests
