#include "layers/multihead.hpp"

#include <cmath>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

int64_t checked(int64_t size, int64_t heads) {
  if (size < 1 || heads < 1 || size % heads != 0) {
    fail("MultiHeadAttention: size {} does not divide into {} heads", size, heads);
  }
  return size;
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(int64_t size, int64_t heads, Rng& rng)
    : size(checked(size, heads)),
      heads(heads),
      in_proj_weight(xavier_uniform({3 * size, size}, rng)),
      in_proj_bias(constant_init({3 * size}, 0)),
      out_proj(size, size, rng) {
  out_proj.bias = constant_init({size}, 0);
}

Tensor MultiHeadAttention::project(const Tensor& x, int64_t first, int64_t count) const {
  if (x.rank() != 3 || x.size(2) != size) {
    fail("MultiHeadAttention: input is {}, wants (B, T, {})", x.shape().text(), size);
  }
  const int64_t begin = first * size;
  const int64_t end = (first + count) * size;
  return linear(x, slice(in_proj_weight, 0, begin, end), slice(in_proj_bias, 0, begin, end));
}

Tensor MultiHeadAttention::finish(const Tensor& q, const Memory& memory, Tensor* weights) const {
  memory.check("MultiHeadAttention", q.size(0));
  const int64_t width = size / heads;  // of a head
  const real scale = 1 / std::sqrt(static_cast<real>(width));
  return out_proj(dot_attention(q, memory.keys, memory.values, heads, scale, memory.mask, weights));
}

Memory MultiHeadAttention::prepare(const Tensor& x, const Mask& mask) const {
  const Tensor kv = project(x, 1, 2);  // (B, S, 2D)
  return {slice(kv, 2, 0, size), slice(kv, 2, size, 2 * size), mask};
}

Tensor MultiHeadAttention::operator()(const Tensor& x, const Memory& memory, Tensor* weights) const {
  return finish(project(x, 0, 1), memory, weights);
}

Tensor MultiHeadAttention::self(const Tensor& x, const Mask& mask, Tensor* weights) const {
  const Tensor qkv = project(x, 0, 3);  // (B, T, 3D)
  const Memory memory{slice(qkv, 2, size, 2 * size), slice(qkv, 2, 2 * size, 3 * size), mask};
  return finish(slice(qkv, 2, 0, size), memory, weights);
}

Tensor MultiHeadAttention::extend(const Tensor& x, Memory& past, Tensor* weights) const {
  const Tensor qkv = project(x, 0, 3);
  const int64_t before = past.slots();
  past.append({slice(qkv, 2, size, 2 * size), slice(qkv, 2, 2 * size, 3 * size)});
  const Memory seen{past.keys, past.values, past.mask.causal(before)};
  return finish(slice(qkv, 2, 0, size), seen, weights);
}

void MultiHeadAttention::visit(const Visitor& visitor) const {
  visitor("in_proj_weight", in_proj_weight);
  visitor("in_proj_bias", in_proj_bias);
  visitor("out_proj", out_proj);
}

}  // namespace heed::inline HEED_PRECISION
