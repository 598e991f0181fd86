#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "autograd/error.hpp"
#include "autograd/random.hpp"

// What the lists of scorers and of normalizers share: made of a tuple of types, searched by name.

namespace heed::inline HEED_PRECISION {

// The entry of a type T: its name, formula, laws, and how one is made. Known is KnownScorer or
// KnownNormalizer, Base what it makes.
template <class Known, class Base, class T>
constexpr Known known_entry() {
  return {T::name, T::formula, T::laws, [](const auto& sizes, Rng& rng) -> std::unique_ptr<Base> {
            return std::make_unique<T>(sizes, rng);
          }};
}

template <class Known, class Base, class... T>
constexpr std::array<Known, sizeof...(T)> known_entries(std::type_identity<std::tuple<T...>> /*list*/) {
  return {known_entry<Known, Base, T>()...};
}

// The entry of that name; throws `no KIND "x"; there are a, b, ...`.
template <class Known>
const Known& find_known(std::span<const Known> list, const char* kind, std::string_view name) {
  std::string names;
  for (const Known& known : list) {
    if (name == known.name) return known;
    names += std::string(names.empty() ? "" : ", ") + known.name;
  }
  fail("no {} \"{}\"; there are {}", kind, name, names);
}

}  // namespace heed::inline HEED_PRECISION
