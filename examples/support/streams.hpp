#pragma once

#include "autograd/random.hpp"
#include "optim/distributed.hpp"

namespace heed::examples {

// What a run draws at random, each from a stream of its own: a change in how much one draws leaves the others
// as they are. (Other numbers would be as good; changing them changes every published result.)
enum class Stream : uint64_t {
  weights = 1,  // the initial parameters
  data = 2,     // the pairs of a task, to learn from and unseen
  dropout = 3,  // which features a training step switches off
  batches = 4,  // which examples stand in one batch, and the order of the batches
};

inline Rng draw_from(Stream stream, int64_t seed) { return Rng(uint64_t(seed)).split(uint64_t(stream)); }

// What every rank draws for itself, as for dropout: its own stream; alone, that of draw_from.
inline Rng draw_own(Stream stream, int64_t seed) {
  const Rng rng = draw_from(stream, seed);
  return distributed::size() == 1 ? rng : rng.split(uint64_t(distributed::rank()));
}

}  // namespace heed::examples
