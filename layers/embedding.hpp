#pragma once

#include "autograd/ids.hpp"
#include "layers/module.hpp"

namespace heed::inline HEED_PRECISION {

// A row of `weight` (V, D) for each id: (...) -> (..., D), as torch.nn.Embedding. Init: N(0, stddev^2), 1 by
// default. Throws on a size below 1; an id outside [0, V) throws in the op.
struct Embedding : Module {
  Embedding(int64_t vocabulary, int64_t size, Rng& rng, real stddev = 1);

  Tensor operator()(const Ids& ids) const;
  void visit(const Visitor& visitor) const override { visitor("weight", weight); }

  Tensor weight;
};

}  // namespace heed::inline HEED_PRECISION
