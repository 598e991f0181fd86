#include "layers/transformer_block.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {

TransformerBlock::TransformerBlock(int64_t size, const Options& options, Rng& rng)
    : self_attn(size, options.heads, rng),
      feed_forward(size, options.inner == 0 ? 4 * size : options.inner, options.activation, options.dropout,
                   rng),
      norm1(size),
      norm2(size),
      dropout(options.dropout),
      pre_norm(options.pre_norm) {
  if (!options.source) return;
  multihead_attn.emplace(size, options.heads, rng);
  norm3.emplace(size);
}

Memory TransformerBlock::prepare(const Tensor& source, const Mask& mask) const {
  if (!multihead_attn) fail("TransformerBlock: made without Options::source, so it takes none");
  return multihead_attn->prepare(source, mask);
}

template <class F>
Tensor TransformerBlock::branch(const Tensor& x, const LayerNorm& norm, const Pass& pass, F f) const {
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
