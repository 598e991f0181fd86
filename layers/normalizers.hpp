#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "layers/attention.hpp"

namespace heed::inline HEED_PRECISION {

// THE list of normalizers, as scorers.hpp has one of scorers. To add one, write normalizers/NAME.hpp and name
// it in normalizers.cpp.
struct KnownNormalizer {
  const char* name;
  const char* formula;
  std::unique_ptr<Normalizer> (*make)();
};
std::span<const KnownNormalizer> known_normalizers();

// By name; throws `no normalizer "x"; there are softmax, ...`.
std::unique_ptr<Normalizer> make_normalizer(std::string_view name);

}  // namespace heed::inline HEED_PRECISION
