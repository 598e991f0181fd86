#include "layers/normalizers/local.hpp"

#include <cmath>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

// Softmax of the visible slots s with |s - centre_bt| <= window. A window differs from query to query, which
// no Mask can say: so each query becomes a row of its own.
Tensor windowed_softmax(const Tensor& scores, const Ids& seen, const Tensor& centre, int64_t window) {
  const int64_t slots = scores.size(2), rows = centre.size();
  PoolVector<uint8_t> bytes(static_cast<size_t>(rows * slots));
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t s = 0; s < slots; ++s) {
      const real distance = std::abs(static_cast<real>(s) - centre.data()[row]);
      const int64_t at = row * slots + s;
      bytes[static_cast<size_t>(at)] = seen[at] != 0 && !(distance > static_cast<real>(window)) ? 1 : 0;
    }
  }
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
  const Tensor off = count(0, scores.size(2)) - centre;                  // (B, T, S)
  const Tensor gaussian = exp(scale(off * off, -2 / static_cast<real>(window * window)));
  return windowed_softmax(scores, seen, centre, window) * gaussian;
}

void LocalP::visit(const Visitor& visitor) const {
  visitor("position", position);
  visitor("v", v);
}

}  // namespace heed::inline HEED_PRECISION
