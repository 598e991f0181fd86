#include "layers/attention_losses.hpp"

#include <cmath>
#include <limits>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

void check_lengths(const char* who, const char* what, std::span<const int32_t> lengths, int64_t batch,
                   int64_t most) {
  if (lengths.empty()) return;
  if (static_cast<int64_t>(lengths.size()) != batch) {
    fail("{}: {} lengths of {} for a batch of {}", who, lengths.size(), what, batch);
  }
  for (size_t b = 0; b < lengths.size(); ++b) {
    if (lengths[b] < 0 || lengths[b] > most)
      fail("{}: {} {} of row {} are outside [0, {}]", who, lengths[b], what, b, most);
  }
}

void check(const char* who, const Tensor& weights, const Extent& extent) {
  if (weights.rank() != 3) fail("{}: weights are {}, wants (B, T, S)", who, weights.shape().text());
  check_lengths(who, "queries", extent.queries, weights.size(0), weights.size(1));
  check_lengths(who, "slots", extent.slots, weights.size(0), weights.size(2));
}

int64_t length(std::span<const int32_t> lengths, int64_t b, int64_t all) {
  return lengths.empty() ? all : lengths[static_cast<size_t>(b)];
}

// factor(b, t, s) where query t and slot s of row b are real, else 0.
template <class Factor>
Tensor factors(const Tensor& weights, const Extent& extent, Factor factor) {
  Tensor result = Tensor::zeros(weights.shape());
  real* out = result.mutable_data();
  const int64_t queries = weights.size(1), slots = weights.size(2);
  for (int64_t b = 0; b < weights.size(0); ++b) {
    const int64_t n = length(extent.queries, b, queries), m = length(extent.slots, b, slots);
    for (int64_t t = 0; t < n; ++t) {
      for (int64_t s = 0; s < m; ++s) out[(b * queries + t) * slots + s] = factor(b, t, s);
    }
  }
  return result;
}

}  // namespace

Tensor coverage_loss(const Tensor& weights, const Extent& extent) {
  check("coverage_loss", weights, extent);
  int64_t count = 0;
  for (int64_t b = 0; b < weights.size(0); ++b) count += length(extent.queries, b, weights.size(1));
  if (count == 0) return Tensor::scalar(0);
  const Tensor before = cumsum(weights, 1, true);        // c
  const Tensor least = before - relu(before - weights);  // min(a, c)
  const real share = 1 / static_cast<real>(count);
  return sum(least * factors(weights, extent, [=](int64_t, int64_t, int64_t) { return share; }));
}

Tensor doubly_stochastic_loss(const Tensor& weights, const Extent& extent) {
  check("doubly_stochastic_loss", weights, extent);
  const Tensor real_ones = factors(weights, extent, [](int64_t, int64_t, int64_t) { return real(1); });
  const Tensor totals = sum(weights * real_ones, 1);  // (B, S)
  Tensor wanted = Tensor::zeros(totals.shape());
  for (int64_t b = 0; b < totals.size(0); ++b) {
    for (int64_t s = 0; s < length(extent.slots, b, totals.size(1)); ++s)
      wanted.mutable_data()[b * totals.size(1) + s] = 1;
  }
  const Tensor lack = wanted - totals;
  return scale(sum(lack * lack), 1 / static_cast<real>(totals.size(0)));
}

Tensor guided_attention_loss(const Tensor& weights, real g, const Extent& extent) {
  check("guided_attention_loss", weights, extent);
  if (!(g > 0)) fail("guided_attention_loss: g = {} must be above 0", g);
  const auto batch = static_cast<double>(weights.size(0)), width = static_cast<double>(g);
  return sum(weights * factors(weights, extent, [&](int64_t b, int64_t t, int64_t s) {
               const auto n = static_cast<double>(length(extent.queries, b, weights.size(1)));
               const auto m = static_cast<double>(length(extent.slots, b, weights.size(2)));
               const double off = (static_cast<double>(s) / m - static_cast<double>(t) / n) / width;
               return static_cast<real>(-std::expm1(-off * off / 2) / (n * m * batch));
             }));
}

Tensor alignment_loss(const Tensor& weights, const Ids& gold) {
  check("alignment_loss", weights, {});
  const Shape queries{weights.size(0), weights.size(1)};
  if (gold.shape() != queries) {
    fail("alignment_loss: gold {} for weights {}", gold.shape().text(), weights.shape().text());
  }
  Ids place({queries[0], queries[1], 1}), counts(place.shape());
  int64_t count = 0;
  for (int64_t i = 0; i < gold.size(); ++i) {
    if (gold[i] < -1 || gold[i] >= weights.size(2)) {
      fail("alignment_loss: gold slot {} at place {} is neither -1 nor in [0, {})", gold[i], i,
           weights.size(2));
    }
    if (gold[i] < 0) continue;
    place.values()[static_cast<size_t>(i)] = gold[i];
    counts.values()[static_cast<size_t>(i)] = 1;
    ++count;
  }
  if (count == 0) return Tensor::scalar(0);
  using Limits = std::numeric_limits<real>;
  const Tensor of_gold = clamp(gather(weights, place), Limits::min(), Limits::infinity());
  const Tensor log_a = log(where(counts, of_gold, Tensor::full(place.shape(), 1)));
  return scale(sum(log_a), -1 / static_cast<real>(count));
}

}  // namespace heed::inline HEED_PRECISION
