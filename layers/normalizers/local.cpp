#include "layers/normalizers/local.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

// (B, T, S): 1 for the visible slots s with |s - centre_bt| <= window, else 0.
PoolVector<uint8_t> in_window(const Ids& seen, const Tensor& centre, int64_t window) {
  const int64_t slots = seen.shape()[-1];
  PoolVector<uint8_t> bytes(static_cast<size_t>(seen.size()));
  for (int64_t at = 0; at < seen.size(); ++at) {
    const real distance = std::abs(static_cast<real>(at % slots) - centre.data()[at / slots]);
    bytes[static_cast<size_t>(at)] = seen[at] != 0 && !(distance > static_cast<real>(window)) ? 1 : 0;
  }
  return bytes;
}

// Softmax of the slots in the window. A window differs from query to query, which no Mask can say: so each
// query becomes a row of its own.
Tensor windowed_softmax(const Tensor& scores, const Ids& seen, const Tensor& centre, int64_t window) {
  const int64_t slots = scores.size(2), rows = centre.size();
  const PoolVector<uint8_t> bytes = in_window(seen, centre, window);
  return softmax(scores.reshape({rows, slots}), Mask::of_bytes(rows, slots, bytes)).reshape(scores.shape());
}

// (B, T, 1): 1 + the last slot that the query may see.
Tensor extent(const Ids& seen) {
  Tensor last = Tensor::zeros(seen.shape().with(-1, 1));
  const int64_t slots = seen.shape()[-1];
  real* n = last.mutable_data();
  for (int64_t i = 0; i < seen.size(); ++i) {
    if (seen[i] != 0) n[i / slots] = static_cast<real>(i % slots + 1);
  }
  return last;
}

// from, from + 1, ... n numbers
Tensor count(int64_t from, int64_t n) {
  Tensor x = Tensor::empty({n});
  real* values = x.mutable_data();
  for (int64_t i = 0; i < n; ++i) values[i] = static_cast<real>(from + i);
  return x;
}

// e^(-(s - centre)^2 / (2 sigma^2)), sigma = window / 2: centre (B, T, 1) -> (B, T, S).
Tensor gaussian(const Tensor& centre, int64_t slots, int64_t window) {
  const Tensor off = count(0, slots) - centre;
  return exp(scale(off * off, -2 / static_cast<real>(window * window)));
}

// The steps of windowed_softmax, after those that led to the centre.
Inside windowed_steps(Inside before, const Tensor& scores, const Tensor& centre, int64_t window,
                      const char* middle) {
  const PoolVector<uint8_t> bytes = in_window(visible("local", scores, {}), centre, window);
  Tensor shown = empty_like(scores);
  std::copy(bytes.begin(), bytes.end(), shown.mutable_data());
  before.push_back({"window_s", fmt::format("1 where |s - {}| <= {}", middle, window), shown});
  for (Inner& step : softmax_steps(scores, shown)) before.push_back(std::move(step));
  return before;
}

}  // namespace

LocalM::LocalM(const NormalizerSizes& sizes, Rng& /*rng*/) : window(sizes.window) {
  if (window < 0) fail("local_m: window {} is below 0", window);
}

Weights LocalM::operator()(const Tensor& scores, const Mask& mask, const Moment& moment) const {
  const Ids seen = visible(name, scores, mask);
  const int64_t queries = scores.size(1);
  const Tensor centre = expand(count(moment.past.steps, queries), {scores.size(0), queries});
  return windowed_softmax(scores, seen, centre, window);
}

Inside LocalM::inside(const Tensor& scores, const Moment& moment) const {
  const Tensor t = Tensor::full({scores.size(0), 1, 1}, static_cast<real>(moment.past.steps));
  return windowed_steps({{"t", "this query's number: so many are past", t}}, scores, t, window, "t");
}

LocalP::LocalP(const NormalizerSizes& sizes, Rng& rng)
    : window(sizes.window),
      position(sizes.query, sizes.hidden, rng, {.bias = false}),
      v(fan_in_uniform({sizes.hidden}, sizes.hidden, rng)) {
  if (window < 1) fail("local_p: window {} is not above 0", window);
}

Tensor LocalP::relative_position(const Tensor& query) const {
  return sigmoid(linear(tanh(position(query)), v.reshape({1, v.size()})));
}

Weights LocalP::operator()(const Tensor& scores, const Mask& mask, const Moment& moment) const {
  if (!moment.query.defined()) fail("local_p: there is no query to predict the position from");
  const Ids seen = visible(name, scores, mask);
  const Tensor centre = extent(seen) * relative_position(moment.query);  // (B, T, 1)
  return windowed_softmax(scores, seen, centre, window) * gaussian(centre, scores.size(2), window);
}

Inside LocalP::inside(const Tensor& scores, const Moment& moment) const {
  const int64_t slots = scores.size(2);
  const Tensor hidden = tanh(position(moment.query));
  const Tensor p = scale(sigmoid(linear(hidden, v.reshape({1, v.size()}))), static_cast<real>(slots));
  const Tensor bell = gaussian(p, slots, window);
  Inside steps = windowed_steps({{"tanh(W_p q)", "", hidden}, {"p", "S sigmoid(v . tanh(W_p q))", p}}, scores,
                                p, window, "p");
  const Tensor inside = steps.back().value;
  steps.push_back({"gaussian_s", "e^(-(s - p)^2 / (2 sigma^2)), sigma = D / 2", bell});
  steps.push_back({"weight_s", "softmax_s gaussian_s", inside * bell});
  return steps;
}

void LocalP::visit(const Visitor& visitor) const {
  visitor("position", position);
  visitor("v", v);
}

}  // namespace heed::inline HEED_PRECISION
