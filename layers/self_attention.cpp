#include "layers/self_attention.hpp"

namespace heed::inline HEED_PRECISION {

SelfAttention::SelfAttention(const Options& o, Rng& rng)
    : positions(make_positions(o.block.positions, true, {.size = o.size, .longest = o.longest}, rng)),
      stack(o.size, o.layers, o.block, rng),
      size_(o.size),
      causal_(o.causal) {}

Tensor SelfAttention::operator()(const Tensor& x, const Mask& mask, const Pass& pass) const {
  return stack(positions ? positions->place(x, 0) : x, causal_ ? mask.causal() : mask, {}, pass);
}

void SelfAttention::visit(const Visitor& visitor) const {
  if (positions) visitor("positions", *positions);
  stack.visit(visitor);
}

}  // namespace heed::inline HEED_PRECISION
