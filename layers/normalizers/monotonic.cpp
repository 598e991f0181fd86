#include "layers/normalizers/monotonic.hpp"

#include <algorithm>

#include "autograd/ops.hpp"
#include "layers/hard.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

// For p (B, T, S) and each row's last choice (-1: ran past the end) the choices (B, T).
Ids walk(const Tensor& p, Ids at) {
  const int64_t batch = p.size(0), queries = p.size(1), slots = p.size(2);
  Ids chosen({batch, queries});
  for (int64_t b = 0; b < batch; ++b) {
    int32_t& slot = at.values()[static_cast<size_t>(b)];
    for (int64_t t = 0; t < queries; ++t) {
      const real* row = p.data() + (b * queries + t) * slots;
      while (slot >= 0 && !(row[slot] > real(0.5))) slot = slot + 1 < slots ? slot + 1 : -1;
      chosen.values()[static_cast<size_t>(b * queries + t)] = slot;
    }
  }
  return chosen;
}

}  // namespace

Monotonic::Monotonic(const NormalizerSizes& /*sizes*/, Rng& /*rng*/) : r(constant_init({1}, -4)) {}

Weights Monotonic::operator()(const Tensor& scores, const Mask& mask, const Moment& moment) const {
  Tensor energy = scores + r;
  if (moment.pass.train)
    energy = energy + normal_init(scores.shape(), 1, moment.pass.generator(name)).detach();
  Tensor p = sigmoid(energy);
  const Ids seen = visible(name, scores, mask);
  if (!mask.everything()) p = where(seen, p, zeros_like(p));
  const int64_t slots = scores.size(2);
  const Ids start({scores.size(0)});  // slot 0 of each row
  const Tensor first = moment.past.weights.defined() ? moment.past.weights : one_hot(start, slots);
  Tensor alignment = monotonic(p, first);
  if (!hard || moment.pass.train) return alignment;
  return {one_hot(walk(p, most_probable(first)), slots), alignment};
}

}  // namespace heed::inline HEED_PRECISION
