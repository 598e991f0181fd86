#include "layers/positions.hpp"

#include "layers/known.hpp"
#include "layers/positions/all.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

template <class T>
constexpr KnownPositions entry() {
  return {T::name, T::formula, T::on_inputs,
          [](const PositionSizes& sizes, Rng& rng) -> std::unique_ptr<Positions> {
            return std::make_unique<T>(sizes, rng);
          }};
}

template <class... T>
constexpr std::array<KnownPositions, sizeof...(T)> entries(std::type_identity<std::tuple<T...>> /*list*/) {
  return {entry<T>()...};
}

constexpr auto positions = entries(std::type_identity<AllPositions>{});

}  // namespace

std::span<const KnownPositions> known_positions() { return positions; }

std::unique_ptr<Positions> make_positions(std::string_view name, bool on_inputs, const PositionSizes& sizes,
                                          Rng& rng) {
  const KnownPositions& known = find_known(known_positions(), "positions", name);
  const bool acts = name != NoPositions::name && known.on_inputs == on_inputs;
  return acts ? known.make(sizes, rng) : nullptr;
}

}  // namespace heed::inline HEED_PRECISION
