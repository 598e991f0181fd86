// Every scorer with every normalizer in every model that takes them by name: a forward pass is its steps, the
// gradient is there, or the constructor says why not.
#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "layers/models/memory_network.hpp"
#include "layers/models/pointer_generator.hpp"
#include "layers/models/pointer_network.hpp"
#include "layers/models/recurrent.hpp"
#include "layers/models/recurrent_lm.hpp"
#include "layers/normalizers.hpp"
#include "layers/scorers.hpp"
#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, S = 5, T = 4, V = 6, H = 6;
const std::vector<int32_t> lengths{5, 3};

// What is to be said of a pair; nothing: it works.
using Reason = std::function<std::string(const std::string& scorer, const std::string& normalizer)>;

const std::string growing = " never turns back and has left a memory before it grows";
const std::string unrewarded =
    " has no gradient, and nobody rewards its choices here; take straight_through or gumbel";

bool one_of(const std::string& name, std::initializer_list<const char*> names) {
  return std::ranges::any_of(names, [&](const char* other) { return name == other; });
}

std::string of_growing(const std::string& who, const std::string& normalizer) {
  if (one_of(normalizer, {"monotonic", "monotonic_hard"})) return who + ": " + normalizer + growing;
  return normalizer == "reinforce" ? who + ": reinforce" + unrewarded : "";
}

// Runs `test` for every pair; what it throws has to be the reason.
template <class Test>
void for_all(const Reason& reason, Test test) {
  int work = 0;
  for (const KnownScorer& s : known_scorers()) {
    for (const KnownNormalizer& n : known_normalizers()) {
      CAPTURE(s.name);
      CAPTURE(n.name);
      const std::string why = reason(s.name, n.name);
      CHECK(error_of([&] { test(s.name, n.name); }) == why);
      work += why.empty();
    }
  }
  CHECK(work >= 7);
}

Ids column(const Ids& ids, int64_t t) {
  const int64_t n = ids.shape()[1];
  return {{B}, {ids[t], ids[n + t]}};
}

// In training a loss of all that a model put out reaches some parameter of every layer but the normalizer.
void check_gradients(const Module& model, const Tensor& output) {
  backward(probe(output));
  bool any = false;
  for (const Tensor& p : parameters(model)) {
    if (!p.grad().defined()) continue;
    for (const real g : p.grad().values()) CHECK(std::isfinite(g));
    any = any || !all_zero(p.grad());
  }
  CHECK(any);
}

void check_steps(const Seq2Seq& model, const Ids& source, const Ids& target) {
  const Prediction all = model(source, lengths, target, {});
  DecoderState state = model.start(source, lengths);
  for (int64_t t = 0; t < T; ++t) {
    const Prediction one = model.step(state, column(target, t));
    CHECK(close_all(one.logits, select(all.logits, 1, t)));
    CHECK(close_all(one.weights, select(all.weights, 1, t)));
  }
  Rng rng(5);
  check_gradients(model, model(source, lengths, target, {.train = true, .rng = &rng}).logits);
}

TEST_CASE("pairs: a recurrent decoder that attends to the source and to its own past") {
  for (const DecoderOrder order :
       {DecoderOrder::luong, DecoderOrder::previous, DecoderOrder::input_feeding, DecoderOrder::bahdanau}) {
    for_all([](const auto&,
               const auto& normalizer) { return of_growing("RecurrentSeq2Seq's own past", normalizer); },
            [&](const char* scorer, const char* normalizer) {
              Rng rng(1);
              const RecurrentSeq2Seq model({.source_vocabulary = V,
                                            .target_vocabulary = V,
                                            .embed = 3,
                                            .hidden = H,
                                            .scorer = scorer,
                                            .normalizer = normalizer,
                                            .order = order,
                                            .own_past = true,
                                            .slots = S},
                                           rng);
              check_steps(model, random_ids({B, S}, 0, V, rng), random_ids({B, T}, 0, V, rng));
            });
  }
}

TEST_CASE("pairs: an own past is averaged by what averages the source") {
  Rng rng(2);
  const auto model = [](const char* normalizer) {
    Rng weights(3);
    return RecurrentSeq2Seq({.source_vocabulary = V,
                             .target_vocabulary = V,
                             .hidden = H,
                             .normalizer = normalizer,
                             .order = DecoderOrder::none,
                             .own_past = true},
                            weights);
  };
  const Ids source = random_ids({B, S}, 0, V, rng), target = random_ids({B, T}, 0, V, rng);
  const auto logits = [&](const char* normalizer) {
    return model(normalizer)(source, lengths, target, {}).logits;
  };
  CHECK(close_all(logits("softmax"), logits("softmax")));
  CHECK_FALSE(close_all(logits("softmax"), logits("straight_through")));
  const Names names = names_of(model("entmax"));
  CHECK(std::ranges::count(names, "past_normalizer.shape") == 1);
}

TEST_CASE("pairs: a pointer-generator, with coverage and without") {
  for (const bool coverage : {false, true}) {
    for_all(
        [=](const std::string& scorer, const std::string& normalizer) -> std::string {
          if (normalizer == "reinforce") return "PointerGenerator: reinforce" + unrewarded;
          if (!coverage || scorer != "location") return "";
          return "Coverage: this scorer does not read the keys, which coverage enters";
        },
        [&](const char* scorer, const char* normalizer) {
          Rng rng(1);
          const PointerGenerator model({.vocabulary = V,
                                        .extended = 2,
                                        .embed = 3,
                                        .hidden = H,
                                        .scorer = scorer,
                                        .normalizer = normalizer,
                                        .slots = S,
                                        .coverage = coverage},
                                       rng);
          check_steps(model, random_ids({B, S}, 0, V + 2, rng), random_ids({B, T}, 0, V + 2, rng));
        });
  }
}

TEST_CASE("pairs: a pointer network, whose weights are its answer") {
  for_all(
      [](const auto&, const std::string& normalizer) -> std::string {
        if (one_of(normalizer, {"softmax", "monotonic"})) return "";
        if (normalizer == "reinforce") return "PointerNetwork: reinforce" + unrewarded;
        return "PointerNetwork: " + normalizer +
               " gives weights of 0, and here the weights are the answer, whose logarithm is the loss; take "
               "softmax or monotonic";
      },
      [](const char* scorer, const char* normalizer) {
        Rng rng(1);
        const PointerNetwork model(
            {.item = 2, .hidden = H, .scorer = scorer, .normalizer = normalizer, .slots = S}, rng);
        const Tensor items = random_tensor({B, S, 2}, rng);
        const Ids answer({B, T}, {0, 2, 1, 4, 2, 1, 0, 0});
        const Tensor all = model(items, lengths, answer);
        DecoderState state = model.start(items, lengths);
        for (int64_t t = 0; t < T; ++t) {
          const Ids previous = t == 0 ? Ids({B}, {-1, -1}) : column(answer, t - 1);
          CHECK(close_all(model.step(state, previous), select(all, 1, t)));
        }
        check_gradients(model, model(items, lengths, answer, {.train = true, .rng = &rng}));
      });
}

TEST_CASE("pairs: language models that attend to their past, all of it and a window") {
  using enum LookBack;
  for (const LookBack look : {states, outputs, key_value, key_value_predict, intra}) {
    for (const int64_t window : {0, 3}) {  // at 2 steps of 3 a slot has its place
      CAPTURE(static_cast<int>(look));
      CAPTURE(window);
      for_all(
          [&](const std::string& scorer, const std::string& normalizer) -> std::string {
            const bool is_intra = look == intra;
            const std::string why = of_growing(is_intra ? "IntraAttention" : "RecurrentLM", normalizer);
            if (!why.empty()) return why;
            if (is_intra && one_of(scorer, {"dot", "scaled_dot", "cosine"}))
              return scorer + ": query size 9 and key size 6 differ; take additive or bilinear";
            if (!is_intra && window > 0 && one_of(normalizer, {"local_m", "local_p"}))
              return "RecurrentLM: " + normalizer + " has a window of its own; the model's, 3, must be 0";
            return "";
          },
          [&](const char* scorer, const char* normalizer) {
            Rng rng(1);
            const RecurrentLM model({.vocabulary = V,
                                     .look = look,
                                     .embed = 3,
                                     .hidden = H,
                                     .window = window,
                                     .scorer = scorer,
                                     .normalizer = normalizer,
                                     .slots = T},
                                    rng);
            const Ids tokens = random_ids({B, T}, 0, V, rng);
            const Prediction all = model(tokens);
            DecoderState state = model.start(B);
            for (int64_t t = 0; t < T; ++t)
              CHECK(close_all(model.step(state, column(tokens, t)).logits, select(all.logits, 1, t)));
            check_gradients(model, model(tokens, {.train = true, .rng = &rng}).logits);
          });
    }
  }
}

// What a memory network says of a pair: its facts have no order.
std::string of_facts(const std::string& who, const std::string& scorer, const std::string& normalizer) {
  const std::string orderless = " goes by where a slot stands, and these slots have no order";
  if (scorer == "location") return who + ": location" + orderless;
  if (one_of(normalizer, {"local_m", "local_p", "monotonic", "monotonic_hard"}))
    return who + ": " + normalizer + orderless;
  return normalizer == "reinforce" ? who + ": reinforce" + unrewarded : "";
}

TEST_CASE("pairs: memory networks") {
  for_all(
      [](const auto& s, const auto& n) { return of_facts("MemoryNetwork", s, n); },
      [](const char* scorer, const char* normalizer) {
        Rng rng(1);
        const MemoryNetwork model(
            {.vocabulary = V, .size = H, .hops = 2, .scorer = scorer, .normalizer = normalizer}, rng);
        const Ids facts = random_ids({B, S, 2}, 1, V, rng), question = random_ids({B, 2}, 1, V, rng);
        const Answer answer = model(facts, lengths, question);
        CHECK(all_zero(slice(slice(answer.weights, 0, 1, 2), 2, 3, S)));  // facts that row 1 does not have
        check_gradients(model, model(facts, lengths, question, {.train = true, .rng = &rng}).logits);
      });
  for_all([](const auto& s, const auto& n) { return of_facts("KeyValueNetwork", s, n); },
          [](const char* scorer, const char* normalizer) {
            Rng rng(1);
            const KeyValueNetwork model(
                {.vocabulary = V, .size = H, .scorer = scorer, .normalizer = normalizer}, rng);
            const Ids keys = random_ids({B, S, 1}, 1, V, rng), question = random_ids({B, 1}, 1, V, rng);
            const Ids candidates({3, 1}, {1, 2, 3});
            const Answer answer = model(keys, keys, lengths, question, candidates);
            CHECK(all_zero(slice(slice(answer.weights, 0, 1, 2), 2, 3, S)));
            check_gradients(
                model, model(keys, keys, lengths, question, candidates, {.train = true, .rng = &rng}).logits);
          });
  Rng rng(2);
  CHECK(error_of([&] {
          MemoryNetwork({.vocabulary = V, .attention = false, .normalizer = "sparsemax"}, rng);
        }) == "MemoryNetwork: without attention there is nothing that dot and sparsemax could do");
}

}  // namespace
}  // namespace heed::tests
