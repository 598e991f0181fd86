#pragma once

#include <memory>
#include <span>

#include "layers/attention.hpp"
#include "layers/normalizers.hpp"
#include "layers/scorers.hpp"

// The laws of attention, each stated once, for the program `laws` and the tests.

namespace heed::examples {

// One scorer with one normalizer, and random things to attend to.
struct Specimen {
  static constexpr int64_t B = 3, T = 4, S = 6, size = 5;

  Laws laws;  // that both keep
  std::unique_ptr<Scorer> scorer;
  std::unique_ptr<Normalizer> normalizer;
  Tensor query, keys, values;  // (B, T, size), (B, S, size), (B, S, 2)

  Attended look(const Mask& mask = {}) const { return look(query, keys, values, mask); }
  Attended look(const Tensor& q, const Tensor& k, const Tensor& v, const Mask& mask = {}) const {
    return attend(q, scorer->prepare(k, v, mask), *scorer, *normalizer);
  }
};
// The same one for the same two.
Specimen specimen(const KnownScorer& scorer, const KnownNormalizer& normalizer);

struct Law {
  const char* name;
  const char* statement;
  bool Laws::*kept;  // who says that it does not keep it has to break it; null: all keep it
  bool (*holds)(Specimen& c);
};
std::span<const Law> all_laws();

// Whether what is so is what should be.
inline bool as_stated(const Law& law, Specimen& c) {
  return law.holds(c) == (law.kept == nullptr || c.laws.*law.kept);
}

}  // namespace heed::examples
