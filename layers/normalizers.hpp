#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "layers/attention.hpp"

namespace heed::inline HEED_PRECISION {

// What a normalizer is made from; each reads what it needs.
struct NormalizerSizes {
  int64_t query = 0;     // Q, of those that look at the query
  int64_t hidden = 0;    // of one with a hidden layer
  real temperature = 1;  // scores are divided by it
  int64_t window = 2;    // D of local attention: slots to either side of the centre
};

// 1 / temperature; throws `who: ...` unless the temperature is above 0.
real inverse_temperature(const char* who, const NormalizerSizes& sizes);

// scores / temperature, as sharpness = 1 / temperature.
Tensor sharpened(const Tensor& scores, real sharpness);

// scores (B, T, S) -> (B, T, S): 1 where the mask shows query t slot s, else 0. Throws `who: ...` unless the
// scores have 3 axes and the mask fits them.
Ids visible(const char* who, const Tensor& scores, const Mask& mask);

// For Normalizer::inside: the steps of softmax(scores), where `window`, if given, is 0 or 1 for each slot;
// and those of entmax(scores, alpha), as which sparsemax is alpha = 2 and entmax15 1.5.
Inside softmax_steps(const Tensor& scores, const Tensor& window = {});
Inside entmax_steps(const Tensor& scores, const Tensor& alpha);

// One of the list in normalizers/all.hpp.
struct KnownNormalizer {
  const char* name;
  const char* formula;
  Laws laws;
  std::unique_ptr<Normalizer> (*make)(const NormalizerSizes& sizes, Rng& rng);
};
std::span<const KnownNormalizer> known_normalizers();

// Whether the normalizer of this name reads the temperature, the window of its sizes: it has a member
// `sharpness`, `window`.
bool reads_temperature(std::string_view name);
bool reads_window(std::string_view name);

// Whether it walks through the slots and never turns back; whether its weights have no gradient, so that
// somebody has to reward them (ReinforceLoss): it has a member `walks`, `wants_reward`.
bool walks(std::string_view name);
bool wants_reward(std::string_view name);

// By name; throws `no normalizer "x"; there are softmax, ...`, and what the normalizer itself throws.
std::unique_ptr<Normalizer> make_normalizer(std::string_view name, const NormalizerSizes& sizes, Rng& rng);

}  // namespace heed::inline HEED_PRECISION
