#include "layers/transformer_block.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {

namespace {

// 4 D; the gate of swiglu is a third matrix: two thirds of that keep the parameters as many.
int64_t inner_size(int64_t size, const TransformerBlock::Options& o) {
  if (o.inner != 0) return o.inner;
  return o.activation == Activation::swiglu ? 8 * size / 3 : 4 * size;
}

}  // namespace

TransformerBlock::TransformerBlock(int64_t size, const Options& options, Rng& rng)
    : self_attn(size,
                {.heads = options.heads,
                 .kv_heads = options.kv_heads,
                 .bias = options.bias,
                 .positions = options.positions,
                 .reach = options.reach},
                rng),
      feed_forward(size, inner_size(size, options), options.activation, options.dropout, rng, options.bias),
      norm1(options.norm, size, options.bias),
      norm2(options.norm, size, options.bias),
      dropout(options.dropout),
      pre_norm(options.pre_norm) {
  if (!options.source) return;
  multihead_attn.emplace(
      size,
      MultiHeadAttention::Options{.heads = options.heads, .kv_heads = options.kv_heads, .bias = options.bias},
      rng);
  norm3.emplace(options.norm, size, options.bias);
}

Memory TransformerBlock::prepare(const Tensor& source, const Mask& mask) const {
  if (!multihead_attn) fail("TransformerBlock: made without Options::source, so it takes none");
  return multihead_attn->prepare(source, mask);
}

Memory TransformerBlock::prepare(const Memory& source) const {
  if (!multihead_attn) fail("TransformerBlock: made without Options::source, so it takes none");
  return multihead_attn->prepare(source.keys, source.values, source.mask);
}

template <class F>
Tensor TransformerBlock::branch(const Tensor& x, const Norm& norm, const Pass& pass, F f) const {
  if (pre_norm) return x + dropout(f(norm(x)), pass);
  return norm(x + dropout(f(x), pass));
}

Tensor TransformerBlock::rest(Tensor x, const Memory* source, const Pass& pass, Tensor* weights) const {
  if (multihead_attn.has_value() != (source != nullptr)) {
    fail("TransformerBlock: {}", multihead_attn ? "wants a source memory" : "takes no source memory");
  }
  if (source != nullptr) {
    x = branch(x, norm2, pass, [&](const Tensor& y) { return (*multihead_attn)(y, *source, weights); });
  }
  return branch(x, norm3 ? *norm3 : norm2, pass, [&](const Tensor& y) { return feed_forward(y, pass); });
}

Tensor TransformerBlock::operator()(const Tensor& x, const Mask& mask, const Memory* source, const Pass& pass,
                                    Tensor* weights) const {
  Tensor* const own = source == nullptr ? weights : nullptr;
  const Tensor y = branch(x, norm1, pass, [&](const Tensor& z) { return self_attn.self(z, mask, own); });
  return rest(y, source, pass, weights);
}

Tensor TransformerBlock::extend(const Tensor& x, Memory& past, const Memory* source, const Pass& pass,
                                Tensor* weights) const {
  Tensor* const own = source == nullptr ? weights : nullptr;
  const Tensor y = branch(x, norm1, pass, [&](const Tensor& z) { return self_attn.extend(z, past, own); });
  return rest(y, source, pass, weights);
}

void TransformerBlock::visit(const Visitor& visitor) const {
  visitor("self_attn", self_attn);
  if (multihead_attn) visitor("multihead_attn", *multihead_attn);
  feed_forward.visit(visitor);  // linear1, linear2
  visitor("norm1", norm1);
  visitor("norm2", norm2);
  if (norm3) visitor("norm3", *norm3);
}

}  // namespace heed::inline HEED_PRECISION
