#include "layers/normalizers.hpp"

#include <string>

#include "autograd/error.hpp"
#include "layers/normalizers/softmax.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

template <class N>
constexpr KnownNormalizer entry() {
  return {N::name, N::formula, []() -> std::unique_ptr<Normalizer> { return std::make_unique<N>(); }};
}

constexpr KnownNormalizer normalizers[] = {
    entry<Softmax>(),
};

}  // namespace

std::span<const KnownNormalizer> known_normalizers() { return normalizers; }

std::unique_ptr<Normalizer> make_normalizer(std::string_view name) {
  std::string names;
  for (const KnownNormalizer& known : normalizers) {
    if (name == known.name) return known.make();
    names += std::string(names.empty() ? "" : ", ") + known.name;
  }
  fail("no normalizer \"{}\"; there are {}", name, names);
}

}  // namespace heed::inline HEED_PRECISION
