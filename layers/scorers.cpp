#include "layers/scorers.hpp"

#include <array>
#include <string>
#include <tuple>
#include <type_traits>

#include "autograd/error.hpp"
#include "layers/scorers/all.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

template <class S>
constexpr KnownScorer entry() {
  return {S::name, S::formula, S::laws, [](const ScorerSizes& sizes, Rng& rng) -> std::unique_ptr<Scorer> {
            return std::make_unique<S>(sizes, rng);
          }};
}

template <class... S>
constexpr std::array<KnownScorer, sizeof...(S)> entries(std::type_identity<std::tuple<S...>> /*list*/) {
  return {entry<S>()...};
}

constexpr auto scorers = entries(std::type_identity<AllScorers>{});

}  // namespace

std::span<const KnownScorer> known_scorers() { return scorers; }

std::unique_ptr<Scorer> make_scorer(std::string_view name, const ScorerSizes& sizes, Rng& rng) {
  std::string names;
  for (const KnownScorer& known : scorers) {
    if (name == known.name) return known.make(sizes, rng);
    names += std::string(names.empty() ? "" : ", ") + known.name;
  }
  fail("no scorer \"{}\"; there are {}", name, names);
}

}  // namespace heed::inline HEED_PRECISION
