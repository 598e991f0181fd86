#include "layers/multihead.hpp"

#include <cmath>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

int64_t checked(int64_t size, const MultiHeadAttention::Options& o) {
  if (size < 1 || o.heads < 1 || size % o.heads != 0) {
    fail("MultiHeadAttention: size {} does not divide into {} heads", size, o.heads);
  }
  if (o.kv_heads < 0 || (o.kv_heads > 0 && o.heads % o.kv_heads != 0)) {
    fail("MultiHeadAttention: {} heads cannot share {} key-value heads evenly", o.heads, o.kv_heads);
  }
  return size;
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(int64_t size, const Options& options, Rng& rng)
    : size(checked(size, options)),
      heads(options.heads),
      kv_heads(options.kv_heads == 0 ? options.heads : options.kv_heads),
      in_proj_weight(xavier_uniform({size + 2 * kv_size(), size}, rng)),
      out_proj(size, size, rng, {.bias = options.bias}),
      positions(make_positions(options.positions, false,
                               {.size = size, .heads = heads, .width = size / heads, .reach = options.reach},
                               rng)) {
  if (!options.bias) return;
  in_proj_bias = constant_init({size + 2 * kv_size()}, 0);
  out_proj.bias = constant_init({size}, 0);
}

Tensor MultiHeadAttention::project(const Tensor& x, int64_t begin, int64_t end) const {
  if (x.rank() != 3 || x.size(2) != size) {
    fail("MultiHeadAttention: input is {}, wants (B, T, {})", x.shape().text(), size);
  }
  return linear(x, slice(in_proj_weight, 0, begin, end),
                in_proj_bias.defined() ? slice(in_proj_bias, 0, begin, end) : in_proj_bias);
}

std::pair<Tensor, Memory> MultiHeadAttention::project_self(const Tensor& x, int64_t first) const {
  const int64_t end = size + 2 * kv_size();
  const Tensor all = project(x, 0, end);  // (B, T, D + 2 G E)
  Tensor q = slice(all, 2, 0, size), k = slice(all, 2, size, size + kv_size());
  if (positions) {
    q = positions->turn(q, heads, first);
    k = positions->turn(k, kv_heads, first);
  }
  return {q, {k, slice(all, 2, size + kv_size(), end)}};
}

Tensor MultiHeadAttention::finish(const Tensor& q, const Memory& memory, DotAttention how,
                                  Tensor* weights) const {
  memory.check("MultiHeadAttention", q.size(0));
  how.heads = heads;
  how.kv_heads = kv_heads;
  const int64_t width = size / heads;  // of a head
  how.scale = 1 / std::sqrt(static_cast<real>(width));
  return out_proj(dot_attention(q, memory.keys, memory.values, how, memory.mask, weights));
}

Memory MultiHeadAttention::prepare(const Tensor& x, const Mask& mask) const {
  const Tensor kv = project(x, size, size + 2 * kv_size());  // (B, S, 2 G E)
  return {slice(kv, 2, 0, kv_size()), slice(kv, 2, kv_size(), 2 * kv_size()), mask};
}

Memory MultiHeadAttention::prepare(const Tensor& keys, const Tensor& values, const Mask& mask) const {
  if (keys.defined() && values.defined() && keys.data() == values.data()) return prepare(keys, mask);
  return {project(keys, size, size + kv_size()), project(values, size + kv_size(), size + 2 * kv_size()),
          mask};
}

Tensor MultiHeadAttention::operator()(const Tensor& x, const Memory& memory, Tensor* weights) const {
  return finish(project(x, 0, size), memory, {}, weights);
}

Tensor MultiHeadAttention::self(const Tensor& x, const Mask& mask, Tensor* weights) const {
  auto [q, memory] = project_self(x, 0);
  memory.mask = mask;
  DotAttention how;
  if (positions) positions->relate(how);
  return finish(q, memory, how, weights);
}

Tensor MultiHeadAttention::extend(const Tensor& x, Memory& past, Tensor* weights) const {
  DotAttention how{.first = past.slots()};
  if (positions) positions->relate(how);
  const auto [q, slots] = project_self(x, how.first);
  past.append(slots);
  const Memory seen{past.keys, past.values, past.mask.causal(how.first)};
  return finish(q, seen, how, weights);
}

void MultiHeadAttention::visit(const Visitor& visitor) const {
  visitor("in_proj_weight", in_proj_weight);
  visitor("in_proj_bias", in_proj_bias);
  visitor("out_proj", out_proj);
  if (positions) visitor("positions", *positions);
}

}  // namespace heed::inline HEED_PRECISION
