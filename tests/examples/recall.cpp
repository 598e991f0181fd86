#include "examples/support/recall.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "autograd/graph.hpp"
#include "autograd/kernels/parallel.hpp"
#include "autograd/ops.hpp"
#include "examples/support/fit.hpp"
#include "examples/support/streams.hpp"
#include "layers/models/memory_network.hpp"
#include "layers/models/recurrent_lm.hpp"
#include "tests/support/errors.hpp"

using namespace heed;
using namespace heed::examples;
using heed::tests::error_of;

TEST_CASE("facts: the question leads to its answer, in as many steps as it says, and nothing is ambiguous") {
  Rng rng(1);
  const int64_t batch = 300;
  const Facts facts = draw_facts(batch, {2, 6}, rng);
  const int64_t slots = facts.keys.shape()[1];
  std::set<int32_t> lengths, places;
  int two = 0;
  for (int64_t b = 0; b < batch; ++b) {
    std::map<int32_t, int32_t> memory;
    std::set<int32_t> values;
    const int32_t n = facts.lengths[size_t(b)];
    for (int64_t s = 0; s < slots; ++s) {
      const int32_t key = facts.keys[b * slots + s], value = facts.values[b * slots + s];
      CHECK((s < n) == (key != 0));
      CHECK((s < n) == (value != 0));
      if (s >= n) continue;
      CHECK(memory.emplace(key, value).second);
      CHECK(values.insert(value).second);
      CHECK(key <= recall_keys);
      if (key == facts.question[b]) places.insert(int32_t(s));
    }
    int32_t at = facts.question[b], steps = 0;
    for (; at <= recall_keys; ++steps) at = memory.at(at);
    CHECK(at == 1 + recall_keys + facts.answer[b]);
    CHECK(steps == facts.steps[size_t(b)]);
    two += steps == 2;
    lengths.insert(n);
  }
  CHECK(*lengths.begin() >= 2);
  CHECK(*lengths.rbegin() == 12);
  CHECK(places.size() > 6);  // facts stand in random order
  CHECK(two > batch / 3);
  CHECK(two < 2 * batch / 3);
  const Ids sentences = facts.sentences();
  CHECK(sentences.shape() == Shape{batch, slots, 2});
  CHECK(sentences[6] == facts.keys[3]);
  CHECK(sentences[7] == facts.values[3]);
  CHECK(error_of([&] { draw_facts(1, {1, 17}, rng); }) == "draw_facts: 1 to 17 items, expected 1 to 16");
}

TEST_CASE("streams: what follows a question is the value that its key came with, however facts are written") {
  Rng rng(2);
  for (const bool one_symbol : {true, false}) {
    const StreamTask task{.keys = 5, .values = 3, .length = 31, .one_symbol = one_symbol};
    const FactStream stream = draw_stream(200, task, rng);
    int asked = 0;
    for (int64_t b = 0; b < 200; ++b) {
      std::map<int32_t, int32_t> heard;
      for (int64_t t = 0; t < task.length; ++t) {
        const int32_t token = stream.tokens[b * task.length + t];
        const int32_t target = stream.targets[b * task.length + t];
        REQUIRE(token < task.vocabulary());
        const bool last = t + 1 == task.length;
        if (token >= 8) {  // a fact of one symbol
          CHECK(heard.emplace((token - 8) / 3, 5 + (token - 8) % 3).second);
          CHECK(target == -1);
        } else if (token < 5 && !heard.contains(token)) {  // the first half of one
          CHECK_FALSE(one_symbol);
          CHECK(target == -1);
          if (!last) heard[token] = stream.tokens[b * task.length + t + 1];
        } else if (token < 5) {
          CHECK(target == heard.at(token));
          if (!last) CHECK(stream.tokens[b * task.length + t + 1] == target);
          ++asked;
        } else {
          CHECK(target == -1);  // an answer says nothing of what follows
        }
      }
    }
    CHECK(asked > 200 * 7);
  }
}

namespace {

double share_of_two_step_answers(int64_t hops, bool attention, int64_t seed) {
  Rng weights = draw_from(Stream::weights, seed), batches = draw_from(Stream::batches, seed);
  const KeyValueNetwork model({.vocabulary = recall_words, .size = 32, .hops = hops, .attention = attention},
                              weights);
  const auto ask = [&](const Facts& f) {
    return model(f.keys, f.values, f.lengths, f.question, recall_candidates()).logits;
  };
  fit(model, {.steps = 1500, .batch = 64, .lr = 1e-2}, [&] {
    const Facts facts = draw_facts(64, {2, 6}, batches);
    return cross_entropy(ask(facts), facts.answer);
  });
  const NoGrad no_grad;
  Rng data = draw_from(Stream::data, seed);
  const Facts unseen = draw_facts(1000, {2, 6}, data);
  const Ids best = argmax(ask(unseen));
  double right = 0, asked = 0;
  for (int64_t b = 0; b < best.size(); ++b) {
    asked += unseen.steps[size_t(b)] == 2;
    right += unseen.steps[size_t(b)] == 2 && best[b] == unseen.answer[b];
  }
  return right / asked;
}

double share_recalled(LookBack look, int64_t seed) {
  const StreamTask task{.keys = 6, .values = 4, .length = 20};
  Rng weights = draw_from(Stream::weights, seed), batches = draw_from(Stream::batches, seed);
  const RecurrentLM model({.vocabulary = task.vocabulary(), .look = look, .embed = 32, .hidden = 48},
                          weights);
  fit(model, {.steps = 600, .batch = 32, .lr = 1e-2}, [&] {
    const FactStream stream = draw_stream(32, task, batches);
    return cross_entropy(model(stream.tokens).logits, stream.targets);
  });
  const NoGrad no_grad;
  Rng data = draw_from(Stream::data, seed);
  const FactStream unseen = draw_stream(200, task, data);
  const Ids best = argmax(model(unseen.tokens).logits);
  double right = 0, asked = 0;
  for (int64_t i = 0; i < best.size(); ++i) {
    asked += unseen.targets[i] >= 0;
    right += best[i] == unseen.targets[i];
  }
  return right / asked;
}

}  // namespace

TEST_CASE("two hops answer what takes two facts; one hop, or no attention, guesses" *
          doctest::test_suite("training")) {
  kernels::set_threads(1);
  for (const int64_t seed : {1, 2, 3}) {
    CAPTURE(seed);
    CHECK(share_of_two_step_answers(2, true, seed) >= 0.99);
    CHECK(share_of_two_step_answers(1, true, seed) <= 0.4);  // a guess: 0.29
    CHECK(share_of_two_step_answers(2, false, seed) <= 0.4);
  }
}

TEST_CASE("whoever attends to its past recalls what an LSTM of the same size forgets" *
          doctest::test_suite("training")) {
  kernels::set_threads(1);
  for (const LookBack look : {LookBack::key_value, LookBack::intra}) {
    for (const int64_t seed : {1, 2, 3}) {
      CAPTURE(static_cast<int>(look));
      CAPTURE(seed);
      CHECK(share_recalled(look, seed) >= 0.99);
    }
  }
  CHECK(share_recalled(LookBack::states, 1) >= 0.99);
  CHECK(share_recalled(LookBack::key_value_predict, 1) >= 0.99);
  CHECK(share_recalled(LookBack::nothing, 1) <= 0.9);
  CHECK(share_recalled(LookBack::ngram, 1) <= 0.9);
}
