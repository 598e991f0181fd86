#include "layers/scorers.hpp"

#include <string>

#include "autograd/error.hpp"
#include "layers/scorers/additive.hpp"
#include "layers/scorers/bilinear.hpp"
#include "layers/scorers/concat.hpp"
#include "layers/scorers/cosine.hpp"
#include "layers/scorers/dot.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

template <class S>
constexpr KnownScorer entry() {
  return {S::name, S::formula, S::laws, [](const ScorerSizes& sizes, Rng& rng) -> std::unique_ptr<Scorer> {
            return std::make_unique<S>(sizes, rng);
          }};
}

constexpr KnownScorer scorers[] = {
    entry<Additive>(), entry<Dot>(),          entry<ScaledDot>(), entry<Bilinear>(),
    entry<Concat>(),   entry<ConcatLinear>(), entry<Cosine>(),
};

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
