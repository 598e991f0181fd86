#pragma once

#include "layers/linear.hpp"
#include "layers/memory.hpp"

namespace heed::inline HEED_PRECISION {

// attend's three lines for H heads in one op (dot_attention: ScaledDot, Softmax, average), which never stores
// all weights. H heads, each softmax(q k^T / sqrt(E)) v on its own E = D / H features; their contexts end to
// end, then one linear map (Vaswani et al. 2017, section 3.2.2). torch.nn.MultiheadAttention with its
// parameter names: in_proj_weight (3D, D), in_proj_bias (3D): the rows of query, key, value; out_proj.weight
// (D, D), out_proj.bias (D). The features of head h are [h E, (h + 1) E): heads are addressed, never moved.
// Init: in_proj Xavier uniform, biases 0, out_proj.weight as Linear.
//
// A Memory made by prepare holds projected keys and projected values (B, S, D); prepared once, it serves
// every query (a decoder onto its source) or grows by extend (a decoder onto its own past).
// `weights`, where given, receives (B, H, T, S), without a graph.
struct MultiHeadAttention : Module {
  MultiHeadAttention(int64_t size, int64_t heads, Rng& rng);  // throws unless heads divide size

  // x (B, S, D) -> its keys and values.
  [[nodiscard]] Memory prepare(const Tensor& x, const Mask& mask = {}) const;
  // Attention of x (B, T, D) onto a memory: (B, T, D).
  Tensor operator()(const Tensor& x, const Memory& memory, Tensor* weights = nullptr) const;
  // Self-attention: the same as (*this)(x, prepare(x, mask)), by one product for query, keys and values.
  Tensor self(const Tensor& x, const Mask& mask = {}, Tensor* weights = nullptr) const;
  // Causal self-attention of x, which follows what `past` holds: appends its slots to `past`, then attends.
  // Piece by piece it gives what self(x, Mask().causal()) gives at once.
  Tensor extend(const Tensor& x, Memory& past, Tensor* weights = nullptr) const;
  void visit(const Visitor& visitor) const override;

  int64_t size, heads;
  Tensor in_proj_weight, in_proj_bias;
  Linear out_proj;

 private:
  // `count` of query, key, value (0, 1, 2) from `first` on, end to end.
  [[nodiscard]] Tensor project(const Tensor& x, int64_t first, int64_t count) const;
  [[nodiscard]] Tensor finish(const Tensor& q, const Memory& memory, Tensor* weights) const;
};

}  // namespace heed::inline HEED_PRECISION
