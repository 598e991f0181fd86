#include "layers/scorers.hpp"

#include "layers/known.hpp"
#include "layers/scorers/all.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

constexpr auto scorers = known_entries<KnownScorer, Scorer>(std::type_identity<AllScorers>{});

}  // namespace

std::span<const KnownScorer> known_scorers() { return scorers; }

std::unique_ptr<Scorer> make_scorer(std::string_view name, const ScorerSizes& sizes, Rng& rng) {
  return find_known(known_scorers(), "scorer", name).make(sizes, rng);
}

void check_equal_sizes(const char* who, const ScorerSizes& sizes) {
  if (sizes.query == sizes.key) return;
  fail("{}: query size {} and key size {} differ; take additive or bilinear", who, sizes.query, sizes.key);
}

}  // namespace heed::inline HEED_PRECISION
