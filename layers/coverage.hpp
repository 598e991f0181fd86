#pragma once

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "layers/attention.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {

// What earlier queries saw enters the keys, so that a scorer can tell a slot that has had its turn:
//   c_s = sum of the weights of slot s at all earlier queries   (See et al. 2017, eq. 10: Past::coverage)
//   key_s <- key_s + w_c c_s                                    (K) features, as the scorer prepared them
// With Additive this is their eq. 11, score_s = v . tanh(W q + U k_s + w_c c_s), but for b_attn, which
// Additive does not have. It serves any scorer that reads its prepared keys; those of Cosine then are no
// longer of length 1. `weight` (K) is w_c. Init: U(-1/sqrt(K), 1/sqrt(K)).
//
// One query at a time: c_s depends on the weights of the query before.
//   Past past{.keep_coverage = true};
//   attend(query, coverage(memory, past), scorer, normalizer, pass, &past)
struct Coverage : Module {
  // For this scorer and keys of `key` features as they come to it. Throws when it reads none.
  Coverage(const Scorer& scorer, int64_t key, Rng& rng) {
    if (!scorer.reads_keys()) fail("Coverage: this scorer does not read the keys, which coverage enters");
    const NoGrad no_grad;
    const int64_t size = scorer.project(Tensor::zeros({1, 1, key})).size(2);  // K
    weight = fan_in_uniform({size}, size, rng);
  }

  // The memory for the next query. Before the first, when c_s = 0, it is the memory itself. Throws when the
  // memory's keys have other features, or `past` is of other slots or kept no coverage.
  [[nodiscard]] Memory operator()(const Memory& memory, const Past& past) const {
    memory.check("Coverage", memory.keys.defined() ? memory.batch() : 0);
    const int64_t size = memory.keys.size(2);
    if (size != weight.size(0)) fail("Coverage: keys of {} features, wants {}", size, weight.size(0));
    if (past.steps == 0) return memory;
    if (!past.coverage.defined()) fail("Coverage: a past of {} steps without keep_coverage", past.steps);
    const Shape slots{memory.batch(), memory.slots()};
    if (past.coverage.shape() != slots) {
      fail("Coverage: a past of {} for a memory of {}", past.coverage.shape().text(), slots.text());
    }
    const Tensor c = past.coverage.reshape({slots[0], slots[1], 1});  // (B, S, 1)
    return {memory.keys + c * weight, memory.values, memory.mask};
  }
  void visit(const Visitor& visitor) const override { visitor("weight", weight); }

  Tensor weight;
};

}  // namespace heed::inline HEED_PRECISION
