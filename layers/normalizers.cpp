#include "layers/normalizers.hpp"

#include <array>
#include <string>
#include <tuple>
#include <type_traits>

#include "autograd/error.hpp"
#include "layers/normalizers/all.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

template <class N>
constexpr KnownNormalizer entry() {
  return {N::name, N::formula, N::laws,
          [](const NormalizerSizes& sizes, Rng& rng) -> std::unique_ptr<Normalizer> {
            return std::make_unique<N>(sizes, rng);
          }};
}

template <class... N>
constexpr std::array<KnownNormalizer, sizeof...(N)> entries(std::type_identity<std::tuple<N...>> /*list*/) {
  return {entry<N>()...};
}

constexpr auto normalizers = entries(std::type_identity<AllNormalizers>{});

}  // namespace

real inverse_temperature(const char* who, const NormalizerSizes& sizes) {
  if (!(sizes.temperature > 0)) fail("{}: temperature {} is not above 0", who, sizes.temperature);
  return 1 / sizes.temperature;
}

std::span<const KnownNormalizer> known_normalizers() { return normalizers; }

std::unique_ptr<Normalizer> make_normalizer(std::string_view name, const NormalizerSizes& sizes, Rng& rng) {
  std::string names;
  for (const KnownNormalizer& known : normalizers) {
    if (name == known.name) return known.make(sizes, rng);
    names += std::string(names.empty() ? "" : ", ") + known.name;
  }
  fail("no normalizer \"{}\"; there are {}", name, names);
}

}  // namespace heed::inline HEED_PRECISION
