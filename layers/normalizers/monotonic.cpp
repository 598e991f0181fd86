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

// (B, S): where the query before stopped, with which probability; before the first query it is slot 0.
Tensor where_from(const Tensor& scores, const Past& past) {
  return past.weights.defined() ? past.weights : one_hot(Ids({scores.size(0)}), scores.size(2));
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
  const Tensor first = where_from(scores, moment.past);
  Tensor alignment = monotonic(p, first);
  if (!hard || moment.pass.train) return alignment;
  return {one_hot(walk(p, most_probable(first)), scores.size(2)), alignment};
}

Inside Monotonic::inside(const Tensor& scores, const Moment& moment) const {
  const Tensor p = sigmoid(scores + r), from = where_from(scores, moment.past).reshape(scores.shape());
  TensorList come;  // (B, 1, 1) each
  for (int64_t s = 0; s < scores.size(2); ++s) {
    Tensor c = slice(from, 2, s, s + 1);
    if (s > 0) c = c + (come.back() - slice(p, 2, s - 1, s) * come.back());
    come.push_back(c);
  }
  const Tensor by = concat(come, 2);
  return {{"p_s", "sigmoid(score_s + r): who comes by slot s stops there so often", p},
          {"from_s", "the weights of the step before, from where it walks on; at first slot 0", from},
          {"c_s", "from_s + (1 - p_(s-1)) c_(s-1): how likely it comes by", by},
          {"stop_s", "p_s c_s", p * by}};
}

}  // namespace heed::inline HEED_PRECISION
