#include "layers/normalizers.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/known.hpp"
#include "layers/normalizers/all.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

constexpr auto normalizers = known_entries<KnownNormalizer, Normalizer>(std::type_identity<AllNormalizers>{});

// Whether the normalizer of this name is one for whose type `has` is true.
template <class Has, class... N>
bool any_named(std::string_view name, Has has, std::type_identity<std::tuple<N...>> /*list*/) {
  return ((name == N::name && has(std::type_identity<N>{})) || ...);
}
template <class Has>
bool any_named(std::string_view name, Has has) {
  return any_named(name, has, std::type_identity<AllNormalizers>{});
}

}  // namespace

real inverse_temperature(const char* who, const NormalizerSizes& sizes) {
  if (!(sizes.temperature > 0)) fail("{}: temperature {} is not above 0", who, sizes.temperature);
  return 1 / sizes.temperature;
}

Tensor sharpened(const Tensor& scores, real sharpness) {
  return sharpness == 1 ? scores : scale(scores, sharpness);
}

Ids visible(const char* who, const Tensor& scores, const Mask& mask) {
  if (scores.rank() != 3) fail("{}: the scores are {}, wants (B, T, S)", who, scores.shape().text());
  const int64_t slots = scores.size(2);
  mask.check(who, scores.size(0), slots);
  Ids seen(scores.shape());
  int32_t* row = seen.values().data();
  for (int64_t b = 0; b < scores.size(0); ++b) {
    const uint8_t* bytes = mask.bytes(b, slots);
    for (int64_t t = 0; t < scores.size(1); ++t, row += slots) {
      const int64_t n = mask.visible(b, t, slots);
      for (int64_t s = 0; s < n; ++s) row[s] = bytes == nullptr || bytes[s] != 0 ? 1 : 0;
    }
  }
  return seen;
}

Inside softmax_steps(const Tensor& scores, const Tensor& window) {
  const Tensor all = exp(scores - max(scores, -1, true));
  const Tensor e = window.defined() ? all * window : all;
  const Tensor total = sum(e, -1, true);
  return {{"e_s", "e^(score_s - the largest score), 0 where it may not look", e},
          {"sum e", "", total},
          {"softmax_s", "e_s / sum e", e / total}};
}

Inside entmax_steps(const Tensor& scores, const Tensor& alpha) {
  const Tensor power = shift(alpha, -1), z = scores * power;
  const Tensor weights = entmax(z / power, alpha);
  const Tensor best = max(weights, -1, true);
  const Tensor tau = max(z, -1, true) - exp(power * log(best));
  Tensor support = zeros_like(weights);
  for (int64_t i = 0; i < weights.size(); ++i) support.mutable_data()[i] = weights.data()[i] > 0 ? 1 : 0;
  const Tensor above = (z - tau) * support, outside = shift(neg(support), 1);
  const Tensor result = exp(log(above + outside) / power) * support;  // above^(1 / power) without log 0
  return {{"alpha", "1 would be softmax, 2 is sparsemax", alpha},
          {"z_s", "(alpha - 1) score_s", z},
          {"tau", "what makes the weights sum to 1", tau},
          {"support_s", "1 where z_s > tau", support},
          {"max(z_s - tau, 0)", "", above},
          {"weight_s", "max(z_s - tau, 0)^(1 / (alpha - 1))", result}};
}

bool reads_temperature(std::string_view name) {
  return any_named(name, []<class N>(std::type_identity<N>) {
    return requires(N n) { n.sharpness; };
  });
}
bool reads_window(std::string_view name) {
  return any_named(name, []<class N>(std::type_identity<N>) {
    return requires(N n) { n.window; };
  });
}
bool walks(std::string_view name) {
  return any_named(name, []<class N>(std::type_identity<N>) {
    return requires { N::walks; };
  });
}
bool wants_reward(std::string_view name) {
  return any_named(name, []<class N>(std::type_identity<N>) {
    return requires { N::wants_reward; };
  });
}

std::span<const KnownNormalizer> known_normalizers() { return normalizers; }

std::unique_ptr<Normalizer> make_normalizer(std::string_view name, const NormalizerSizes& sizes, Rng& rng) {
  return find_known(known_normalizers(), "normalizer", name).make(sizes, rng);
}

}  // namespace heed::inline HEED_PRECISION
