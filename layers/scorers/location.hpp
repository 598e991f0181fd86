#pragma once

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/attention.hpp"
#include "layers/init.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {

// score_ts = w_s . q_t: from the query alone, whatever the keys hold (Luong et al. 2015, section 3.1,
// "location": a_t = softmax(W q_t)). `weight` W (N, Q), a row per slot: the one scorer that has to know the
// most slots, N, in advance. Throws on a memory of more. Init: U(-1/sqrt(Q), 1/sqrt(Q)).
struct Location : Scorer {
  static constexpr const char* name = "location";
  static constexpr const char* formula = "w_s . q";
  static constexpr Laws laws{
      .permutation = false, .equal_share = false, .doubling = false, .any_number = false};

  Location(const ScorerSizes& sizes, Rng& rng) : weight(rows(sizes, rng)) {}

  Tensor operator()(const Tensor& query, const Memory& memory) const override {
    return linear(query, places(memory.slots()));
  }
  [[nodiscard]] Inside inside(const Tensor& query, const Memory& memory) const override {
    const Tensor terms = query * places(memory.slots());
    return {{"w_si q_i", "", terms}, {"score_s", "their sum over i", sum(terms, -1)}};
  }
  [[nodiscard]] bool reads_keys() const override { return false; }
  void visit(const Visitor& visitor) const override { visitor("weight", weight); }

  Tensor weight;

 private:
  // The rows of the first so many slots.
  [[nodiscard]] Tensor places(int64_t slots) const {
    if (slots > weight.size(0)) {
      fail("location: a memory of {} slots; this scorer knows {} places", slots, weight.size(0));
    }
    return slice(weight, 0, 0, slots);
  }
  static Tensor rows(const ScorerSizes& sizes, Rng& rng) {
    if (sizes.slots < 1)
      fail("location: the most slots that a memory will have must be at least 1, not {}", sizes.slots);
    return fan_in_uniform({sizes.slots, sizes.query}, sizes.query, rng);
  }
};

}  // namespace heed::inline HEED_PRECISION
