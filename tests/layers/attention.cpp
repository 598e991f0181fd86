// The laws of attention for every scorer with every normalizer (those of examples/support/laws.hpp, and what
// else a Memory promises). Those that not all keep are checked both ways: who does not keep one has to break
// it.
#include "layers/attention.hpp"

#include <doctest/doctest.h>

#include "examples/support/laws.hpp"
#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

using examples::Specimen;
constexpr int64_t T = Specimen::T, S = Specimen::S, B = Specimen::B, size = Specimen::size;

// Runs `test` on a fresh specimen for every scorer and normalizer.
template <class Test>
void for_all(Test test) {
  for (const KnownScorer& s : known_scorers()) {
    for (const KnownNormalizer& n : known_normalizers()) {
      CAPTURE(s.name);
      CAPTURE(n.name);
      Specimen c = examples::specimen(s, n);
      test(c);
    }
  }
}

TEST_CASE("attention: the laws hold, or break where stated") {
  REQUIRE(examples::all_laws().size() >= 12);
  for (const examples::Law& law : examples::all_laws()) {
    CAPTURE(law.name);
    for_all([&](Specimen& c) { CHECK(examples::as_stated(law, c)); });
  }
}

TEST_CASE("attention: a causal query sees only its prefix") {
  for_all([](const Specimen& c) {
    const Attended all = c.look(Mask().causal(1));
    for (int64_t t = 0; t < T; ++t) {
      const int64_t n = t + 2;
      const Attended prefix = c.look(slice(c.query, 1, 0, t + 1), slice(c.keys, 1, 0, n),
                                     slice(c.values, 1, 0, n), Mask().causal(1));
      CHECK(close_all(select(all.context, 1, t), select(prefix.context, 1, t)));
      CHECK(close_all(slice(select(all.weights, 1, t), 1, 0, n), select(prefix.weights, 1, t)));
      CHECK(all_zero(slice(select(all.weights, 1, t), 1, n, S)));
    }
  });
}

TEST_CASE("attention: a memory grown slot by slot is the memory prepared at once") {
  for_all([](const Specimen& c) {
    Memory grown;
    for (int64_t s = 0; s < S; ++s) {
      grown.append(c.scorer->prepare(slice(c.keys, 1, s, s + 1), slice(c.values, 1, s, s + 1)));
    }
    CHECK(grown.slots() == S);
    const Attended cached = attend(c.query, grown, *c.scorer, *c.normalizer);
    const Attended seen = c.look();
    CHECK(close_all(cached.context, seen.context));
    CHECK(close_all(cached.weights, seen.weights));
  });
}

TEST_CASE("attention: a memory with a mask grows by slots that are seen") {
  for_all([](const Specimen& c) {
    const Tensor keys = slice(c.keys, 1, 0, 4), values = slice(c.values, 1, 0, 4);
    Memory grown = c.scorer->prepare(keys, values, Mask::of_lengths({4, 1, 0}));
    grown.append(c.scorer->prepare(slice(c.keys, 1, 4, 6), slice(c.values, 1, 4, 6)));
    const Attended seen = attend(c.query, grown, *c.scorer, *c.normalizer);
    const Mask same = Mask::of_bytes(B, S, {1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1});
    CHECK(close_all(seen.weights, c.look(same).weights));
    CHECK(close_all(seen.context, c.look(same).context));
  });
}

TEST_CASE("attention: selected rows of a memory answer as they did") {
  for_all([](const Specimen& c) {
    const std::vector<int32_t> rows{2, 0, 2, 1};
    const Mask mask = Mask::of_lengths({6, 2, 4});
    const Memory chosen = c.scorer->prepare(c.keys, c.values, mask).select(rows);
    const Attended seen = attend(select_rows(c.query, rows), chosen, *c.scorer, *c.normalizer);
    CHECK(close_all(seen.context, select_rows(c.look(mask).context, rows)));
    CHECK(close_all(seen.weights, select_rows(c.look(mask).weights, rows)));
  });
}

TEST_CASE("attention: what earlier queries saw, query by query and at once, and row by row") {
  for_all([](const Specimen& c) {
    const Memory memory = c.scorer->prepare(c.keys, c.values, Mask::of_lengths({6, 2, 4}));
    Past at_once{.keep_coverage = true}, stepwise{.keep_coverage = true};
    const Attended all = attend(c.query, memory, *c.scorer, *c.normalizer, {}, &at_once);
    for (int64_t t = 0; t < T; ++t) {
      const Attended one = attend(select(c.query, 1, t), memory, *c.scorer, *c.normalizer, {}, &stepwise);
      CHECK(close_all(one.weights, select(all.weights, 1, t)));
    }
    CHECK(at_once.steps == T);
    CHECK(stepwise.steps == T);
    CHECK(close_all(stepwise.weights, select(all.weights, 1, T - 1)));
    CHECK(close_all(stepwise.coverage, sum(all.weights, 1)));
    CHECK(close_all(at_once.coverage, stepwise.coverage));
    const std::vector<int32_t> rows{2, 0};
    CHECK(close_all(at_once.select(rows).coverage, select_rows(at_once.coverage, rows)));
    CHECK(at_once.select(rows).steps == T);
    Past short_memory;
    attend(c.query, memory, *c.scorer, *c.normalizer, {}, &short_memory);
    CHECK(!short_memory.coverage.defined());
    CHECK(close_all(short_memory.select(rows).weights, select_rows(stepwise.weights, rows)));
  });
}

TEST_CASE("attention: the steps inside end in what comes out") {
  for_all([](const Specimen& c) {
    const Memory memory = c.scorer->prepare(c.keys, c.values);
    Past past;
    attend(slice(c.query, 1, 0, 2), memory, *c.scorer, *c.normalizer, {}, &past);
    const Tensor query = slice(c.query, 1, 2, 3);
    const Moment moment{.query = query, .past = past};
    const Tensor scores = (*c.scorer)(query, memory);
    const Inside of_scorer = c.scorer->inside(query, memory);
    if (!of_scorer.empty()) CHECK(close_all(of_scorer.back().value.reshape(scores.shape()), scores));
    const Inside of_normalizer = c.normalizer->inside(scores, moment);
    const Tensor probabilities = (*c.normalizer)(scores, {}, moment).probabilities;
    if (of_normalizer.empty()) return;
    CHECK(close_all(of_normalizer.back().value.reshape(scores.shape()), probabilities));
  });
}

TEST_CASE("attention: what does not fit is a sentence") {
  for_all([](const Specimen& c) {
    CHECK(error_of([&] {
            c.look(Tensor::zeros({4, T, size}), c.keys, c.values);
          }) == "attend: a memory of batch 3 for a batch of 4");
    CHECK(error_of([&] { c.look(c.query, c.keys, slice(c.values, 1, 0, 5)); }) ==
          "attend: keys (3, 6, " + std::to_string(c.scorer->project(c.keys).size(2)) +
              ") and values (3, 5, 2) are not (B, S, K) and (B, S, D)");
    CHECK(error_of([&] { attend(c.query, {}, *c.scorer, *c.normalizer); }) == "attend: the memory is empty");
    CHECK(error_of([&] { c.look(Mask::of_lengths({6, 6})); }).substr(0, 7) == "attend:");
    Memory memory = c.scorer->prepare(c.keys, c.values);
    CHECK(error_of([&] {
            c.look(c.query, Tensor::zeros({B, 0, size}), Tensor::zeros({B, 0, 2}));
          }) == "attend: a memory of 0 slots");
    Past past{.keep_coverage = true};
    attend(c.query, c.scorer->prepare(slice(c.keys, 1, 0, 1), slice(c.values, 1, 0, 1)), *c.scorer,
           *c.normalizer, {}, &past);
    CHECK(
        error_of([&] { attend(c.query, memory, *c.scorer, *c.normalizer, {}, &past); }) ==
        "attend: a past of (3, 1) for a memory of (3, 6); a past belongs to one memory, which does not grow");
    CHECK(error_of([&] {
            memory.append(c.scorer->prepare(c.keys, c.values, Mask::of_lengths({1, 1, 1})));
          }) == "Memory::append: the new slots have a mask; append what may be seen");
  });
}

}  // namespace
}  // namespace heed::tests
