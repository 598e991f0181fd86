#include "layers/models/sampling.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "layers/models/writing.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

void check(const SampleOptions& options) {
  if (!(options.temperature > 0) || !std::isfinite(options.temperature)) {
    fail("sample_answers: temperature {} must be above 0, and finite; greedy takes the likeliest",
         options.temperature);
  }
  if (options.top_k < 0) fail("sample_answers: top_k {} must be at least 0", options.top_k);
  if (!(options.top_p > 0 && options.top_p <= 1)) {
    fail("sample_answers: top_p {} is outside (0, 1]", options.top_p);
  }
}

// Draws a token of those that the options leave; of impossible ones alone, any.
int32_t draw(std::span<const real> log_p, const SampleOptions& options, Rng& rng) {
  std::vector<int32_t> order(log_p.size());
  std::iota(order.begin(), order.end(), 0);
  const auto log_p_of = [&](int32_t token) { return log_p[static_cast<size_t>(token)]; };
  if (options.top_k > 0 || options.top_p < 1) {
    std::ranges::stable_sort(order, std::ranges::greater(), log_p_of);
  }
  if (options.top_k > 0) order.resize(std::min(order.size(), static_cast<size_t>(options.top_k)));
  const auto highest = static_cast<double>(std::ranges::max(log_p));
  std::vector<double> up_to;  // the sum of the probabilities, up to a factor, until here
  double sum = 0;
  for (const int32_t token : order) {
    sum += std::exp((static_cast<double>(log_p_of(token)) - highest) / options.temperature);
    up_to.push_back(sum);
  }
  if (options.top_p < 1) {
    const auto reached = std::ranges::lower_bound(up_to, options.top_p * sum);
    up_to.erase(reached + 1, up_to.end());
  }
  // The first whose sum is above a number below the whole, so that none of probability 0 comes; where that
  // number is rounded up to the whole, the first that reaches it.
  const auto found = std::ranges::upper_bound(up_to, rng.uniform() * up_to.back());
  const auto last = std::ranges::lower_bound(up_to, up_to.back());
  return order[static_cast<size_t>(std::min(found, last) - up_to.begin())];
}

}  // namespace

std::vector<Decoded> sample_answers(const Autoregressive& model, DecoderState state, const Ids& previous,
                                    const Limits& limits, const SampleOptions& options, Rng& rng) {
  check(options);
  const uint64_t high = rng.bits(), low = rng.bits();
  const Rng shared(high << 32U | low);
  std::vector<Rng> own;
  own.reserve(static_cast<size_t>(previous.size()));
  for (int64_t b = 0; b < previous.size(); ++b) own.push_back(shared.split(static_cast<uint64_t>(b)));
  const auto choose = [&](size_t b, std::span<const real> log_p) { return draw(log_p, options, own[b]); };
  return write("sample_answers", model, std::move(state), previous, limits, choose);
}

std::vector<Decoded> sample_answers(const Seq2Seq& model, const Ids& source, std::span<const int32_t> lengths,
                                    int64_t max_length, const SampleOptions& options, Rng& rng) {
  const NoGrad no_grad;
  return sample_answers(model, model.start(source, lengths), bos_of(source),
                        seq2seq_limits(lengths, max_length), options, rng);
}

}  // namespace heed::inline HEED_PRECISION
