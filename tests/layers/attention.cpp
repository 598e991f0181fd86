// The laws of attention, each stated once and checked for every scorer with every normalizer. Those that not
// all keep (Laws) are checked both ways: who does not keep one has to break it on the inputs here.
#include "layers/attention.hpp"

#include <doctest/doctest.h>

#include "layers/normalizers.hpp"
#include "layers/scorers.hpp"
#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 3, T = 4, S = 6, size = 5;

struct Case {
  Laws laws;  // that scorer and normalizer both keep
  std::unique_ptr<Scorer> scorer;
  std::unique_ptr<Normalizer> normalizer;
  Tensor query, keys, values;

  Attended look(const Mask& mask = {}) const { return look(query, keys, values, mask); }
  Attended look(const Tensor& q, const Tensor& k, const Tensor& v, const Mask& mask = {}) const {
    return attend(q, scorer->prepare(k, v, mask), *scorer, *normalizer);
  }
};

Laws both(const Laws& a, const Laws& b) {
  return {.permutation = a.permutation && b.permutation,
          .sum_to_one = a.sum_to_one && b.sum_to_one,
          .equal_share = a.equal_share && b.equal_share,
          .shift = a.shift && b.shift,
          .doubling = a.doubling && b.doubling};
}

// With parameters near 0: as monotonic walks begin, they hardly ever stop.
std::unique_ptr<Normalizer> make(const KnownNormalizer& known, Rng& rng) {
  auto normalizer = known.make({.query = size, .hidden = 3}, rng);
  for (Tensor& p : parameters(*normalizer))
    p.assign(scale(random_tensor(p.shape(), rng), real(0.1)).values());
  return normalizer;
}

// Runs `law` on fresh random inputs for every scorer and normalizer.
template <class Law>
void for_all(Law law) {
  for (const KnownScorer& s : known_scorers()) {
    for (const KnownNormalizer& n : known_normalizers()) {
      CAPTURE(s.name);
      CAPTURE(n.name);
      Rng rng(11);
      Case c;
      c.laws = both(s.laws, n.laws);
      c.scorer = s.make({.query = size, .key = size, .hidden = 7}, rng);
      c.normalizer = make(n, rng);
      c.query = random_tensor({B, T, size}, rng);
      c.keys = random_tensor({B, S, size}, rng);
      c.values = random_tensor({B, S, 2}, rng);
      law(c);
    }
  }
}

// x with its slots (axis 1) in another order, some perhaps twice.
Tensor reorder(const Tensor& x, const std::vector<int64_t>& order) {
  std::vector<Tensor> slots;
  for (const int64_t s : order) slots.push_back(select(x, 1, s));
  return stack(slots, 1);
}

Tensor reorder_slots(const Tensor& weights, const std::vector<int64_t>& order) {
  return transpose(reorder(transpose(weights), order));
}

// Depends on all that a loss may depend on; of a choice of slots only the probabilities have a gradient.
Tensor probe(const Attended& seen) {
  return tests::probe(seen.context) + tests::probe(seen.weights) + tests::probe(scale(seen.probabilities, 2));
}

// Hides slots 4 and 5 of row 0, slot 1 of row 1, nothing of row 2.
Mask holes() { return Mask::of_bytes(B, S, {1, 1, 1, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}); }

TEST_CASE("attention: weights are non-negative and sum to 1, context = weights values") {
  for_all([](const Case& c) {
    bool sum_to_one = true;
    for (const Mask& mask : {Mask(), holes(), Mask::of_lengths({6, 1, 3}), Mask().causal()}) {
      const Attended seen = c.look(mask);
      const Tensor total = sum(seen.weights, -1);
      for (const real w : seen.weights.values()) CHECK(w >= 0);
      for (const real w : total.values()) CHECK(w <= 1 + tolerance);
      sum_to_one = sum_to_one && close_all(total, Tensor::full({B, T}, 1));
      CHECK(close_all(seen.context, matmul(seen.weights, c.values)));
    }
    CHECK(sum_to_one == c.laws.sum_to_one);
  });
}

TEST_CASE("attention: permuting the memory permutes the weights and leaves the context") {
  for_all([](const Case& c) {
    const std::vector<int64_t> order{3, 0, 5, 1, 4, 2};
    const Attended seen = c.look();
    const Attended other = c.look(c.query, reorder(c.keys, order), reorder(c.values, order));
    CHECK(close_all(other.context, seen.context) == c.laws.permutation);
    CHECK(close_all(other.weights, reorder_slots(seen.weights, order)) == c.laws.permutation);
  });
}

TEST_CASE("attention: a masked slot has weight 0, gradient 0 and no influence") {
  for_all([](Case& c) {
    c.keys.requires_grad();
    c.values.requires_grad();
    const Attended seen = c.look(holes());
    CHECK(all_zero(slice(slice(seen.weights, 0, 0, 1), 2, 4, 6)));
    CHECK(all_zero(slice(slice(seen.weights, 0, 1, 2), 2, 1, 2)));
    backward(probe(seen));
    for (const Tensor& g : {c.keys.grad(), c.values.grad()}) {
      CHECK(all_zero(slice(slice(g, 0, 0, 1), 1, 4, 6)));
      CHECK(all_zero(slice(slice(g, 0, 1, 2), 1, 1, 2)));
      CHECK_FALSE(all_zero(slice(g, 0, 2, 3)));
    }
    const Tensor before = seen.context.detach();
    for (int64_t i = 4 * size; i < 6 * size; ++i) c.keys.mutable_data()[i] = 50;
    CHECK(close_all(c.look(holes()).context, before, 0));
  });
}

TEST_CASE("attention: masked is the same as not there, appended masked slots change nothing") {
  for_all([](const Case& c) {
    const Attended short_one = c.look(c.query, slice(c.keys, 1, 0, 4), slice(c.values, 1, 0, 4));
    for (const Mask& mask : {Mask::of_lengths({4, 4, 4}),
                             Mask::of_bytes(B, S, {1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0})}) {
      const Attended longer = c.look(mask);
      CHECK(close_all(longer.context, short_one.context));
      CHECK(close_all(slice(longer.weights, 2, 0, 4), short_one.weights));
    }
  });
}

TEST_CASE("attention: a fully masked row gives weights 0, context 0, finite gradients") {
  for_all([](Case& c) {
    c.query.requires_grad();
    c.keys.requires_grad();
    const Attended seen = c.look(Mask::of_lengths({0, 6, 2}));
    CHECK(all_zero(slice(seen.weights, 0, 0, 1)));
    CHECK(all_zero(slice(seen.context, 0, 0, 1)));
    backward(probe(seen));
    CHECK(all_zero(slice(c.query.grad(), 0, 0, 1)));
    for (const real g : c.query.grad().values()) CHECK(std::isfinite(g));
    for (const real g : c.keys.grad().values()) CHECK(std::isfinite(g));
    for (const Module* module :
         {static_cast<Module*>(c.scorer.get()), static_cast<Module*>(c.normalizer.get())}) {
      for (const Tensor& p : parameters(*module)) {
        for (const real g : p.grad().values()) CHECK(std::isfinite(g));
      }
    }
  });
}

TEST_CASE("attention: one slot gives its value; equal slots share equally") {
  for_all([](const Case& c) {
    const Attended one = c.look(c.query, slice(c.keys, 1, 2, 3), slice(c.values, 1, 2, 3));
    CHECK(close_all(one.weights, Tensor::full({B, T, 1}, 1)) == c.laws.sum_to_one);
    CHECK(close_all(one.context, expand(slice(c.values, 1, 2, 3), {B, T, 2})) == c.laws.sum_to_one);
    const std::vector<int64_t> same(S, 3);
    const Attended equal = c.look(c.query, reorder(c.keys, same), c.values);
    CHECK(close_all(equal.weights, Tensor::full({B, T, S}, real(1) / S)) == c.laws.equal_share);
  });
}

TEST_CASE("attention: doubling every slot halves the weights and leaves the context") {
  for_all([](const Case& c) {
    const std::vector<int64_t> twice{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5};
    const Attended seen = c.look();
    const Attended doubled = c.look(c.query, reorder(c.keys, twice), reorder(c.values, twice));
    const bool halved = close_all(scale(slice(doubled.weights, 2, 6, 12), 2), seen.weights);
    CHECK((halved && close_all(doubled.context, seen.context)) == c.laws.doubling);
  });
}

TEST_CASE("attention: a batch is each row alone, a query is each step alone") {
  for_all([](const Case& c) {
    const std::vector<int32_t> lengths{6, 2, 4};
    const Attended all = c.look(Mask::of_lengths(lengths));
    for (int64_t b = 0; b < B; ++b) {
      const Memory memory = c.scorer->prepare(slice(c.keys, 0, b, b + 1), slice(c.values, 0, b, b + 1),
                                              Mask::of_lengths({lengths[static_cast<size_t>(b)]}));
      Past past;
      for (int64_t t = 0; t < T; ++t) {
        const Tensor query = slice(select(c.query, 1, t), 0, b, b + 1);  // (1, Q)
        const Attended one = attend(query, memory, *c.scorer, *c.normalizer, {}, &past);
        CHECK(close_all(one.context, slice(select(all.context, 1, t), 0, b, b + 1)));
        CHECK(close_all(one.weights, slice(select(all.weights, 1, t), 0, b, b + 1)));
      }
    }
  });
}

TEST_CASE("attention: a causal query sees only its prefix") {
  for_all([](const Case& c) {
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
  for_all([](const Case& c) {
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
  for_all([](const Case& c) {
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
  for_all([](const Case& c) {
    const std::vector<int32_t> rows{2, 0, 2, 1};
    const Mask mask = Mask::of_lengths({6, 2, 4});
    const Memory chosen = c.scorer->prepare(c.keys, c.values, mask).select(rows);
    const Attended seen = attend(select_rows(c.query, rows), chosen, *c.scorer, *c.normalizer);
    CHECK(close_all(seen.context, select_rows(c.look(mask).context, rows)));
    CHECK(close_all(seen.weights, select_rows(c.look(mask).weights, rows)));
  });
}

TEST_CASE("attention: the same parameters attend to 1 slot or 1000") {
  for_all([](const Case& c) {
    Rng rng(12);
    for (const int64_t n : {1, 10, 1000}) {
      const Attended seen = c.look(c.query, random_tensor({B, n, size}, rng), random_tensor({B, n, 2}, rng));
      for (const real w : seen.weights.values()) CHECK(std::isfinite(w));
      if (c.laws.sum_to_one) CHECK(close_all(sum(seen.weights, -1), Tensor::full({B, T}, 1)));
    }
  });
}

TEST_CASE("attention: one number added to all scores changes nothing") {
  for (const KnownNormalizer& n : known_normalizers()) {
    CAPTURE(n.name);
    Rng rng(13);
    const auto normalizer = make(n, rng);
    const Moment moment{.query = random_tensor({B, T, size}, rng)};
    const Tensor scores = random_tensor({B, T, S}, rng);
    const Tensor before = (*normalizer)(scores, {}, moment).weights;
    CHECK(close_all((*normalizer)(shift(scores, 1), {}, moment).weights, before) == n.laws.shift);
  }
}

TEST_CASE("attention: what earlier queries saw, query by query and at once, and row by row") {
  for_all([](const Case& c) {
    const Memory memory = c.scorer->prepare(c.keys, c.values, Mask::of_lengths({6, 2, 4}));
    Past at_once, stepwise;
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
  });
}

TEST_CASE("attention: what does not fit is a sentence") {
  for_all([](const Case& c) {
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
            memory.append(c.scorer->prepare(c.keys, c.values, Mask::of_lengths({1, 1, 1})));
          }) == "Memory::append: the new slots have a mask; append what may be seen");
  });
}

}  // namespace
}  // namespace heed::tests
