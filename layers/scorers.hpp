#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "layers/attention.hpp"

namespace heed::inline HEED_PRECISION {

// What every scorer is made from.
struct ScorerSizes {
  int64_t query;      // Q
  int64_t key;        // K
  int64_t hidden;     // of a scorer with a hidden layer
  int64_t slots = 0;  // the most that a memory will have, of a scorer with parameters per slot
};

// One of the list in scorers/all.hpp: what `--scorer` offers and what the laws of attention are tested over.
struct KnownScorer {
  const char* name;
  const char* formula;
  Laws laws;
  std::unique_ptr<Scorer> (*make)(const ScorerSizes& sizes, Rng& rng);
};
std::span<const KnownScorer> known_scorers();

// By name; throws `no scorer "x"; there are additive, dot, ...`, and what the scorer itself throws.
std::unique_ptr<Scorer> make_scorer(std::string_view name, const ScorerSizes& sizes, Rng& rng);

// Throws `who: ...` unless queries and keys have the same size.
void check_equal_sizes(const char* who, const ScorerSizes& sizes);

}  // namespace heed::inline HEED_PRECISION
