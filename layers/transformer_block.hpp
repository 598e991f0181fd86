#pragma once

#include <optional>

#include "layers/feed_forward.hpp"
#include "layers/multihead.hpp"
#include "layers/norm.hpp"

namespace heed::inline HEED_PRECISION {

// Self-attention, then, in a decoder, attention onto a second Memory, then a feed-forward network; each a
// branch f beside its input:
//   post-norm  x <- norm(x + dropout(f(x)))         (Vaswani et al. 2017, section 3.1)
//   pre-norm   x <- x + dropout(f(norm(x)))         (Xiong et al. 2020): trains without warm-up; the default
// Parameters as torch.nn.TransformerEncoderLayer: self_attn, linear1, linear2, norm1, norm2; with a second
// attention as TransformerDecoderLayer: multihead_attn and norm3 too, norm2 then being its norm. Init: that
// of each layer.
struct TransformerBlock : Module {
  struct Options {
    int64_t heads = 4;
    int64_t kv_heads = 0;  // as MultiHeadAttention::Options, of both attentions
    int64_t inner = 0;     // features inside the feed-forward network; 0: 4 D, of swiglu 8/3 D
    Activation activation = Activation::relu;
    NormKind norm = NormKind::layer;
    bool pre_norm = true;
    bool bias = true;                // of every linear map and LayerNorm
    std::string positions = "none";  // of the self-attention, as MultiHeadAttention::Options
    int64_t reach = 16;
    bool source = false;  // attends to a second Memory
    // On what each branch gives (Vaswani et al. 2017, section 5.4), and, as torch has it, inside the
    // feed-forward network; never on attention weights, which dot_attention does not store.
    real dropout = 0;
  };
  TransformerBlock(int64_t size, const Options& options, Rng& rng);

  // The source's keys and values for the second attention, for all queries to come.
  [[nodiscard]] Memory prepare(const Tensor& source, const Mask& mask = {}) const;
  [[nodiscard]] Memory prepare(const Memory& source) const;  // of raw keys and values (B, S, D)
  // x (B, T, D) -> (B, T, D). `mask` is over x's own slots: lengths, or causal. `source` as prepared, exactly
  // if Options::source. `weights`, where given, receives those onto the source (B, H, T, S), without a source
  // those onto x (B, H, T, T); without a graph.
  Tensor operator()(const Tensor& x, const Mask& mask, const Memory* source, const Pass& pass,
                    Tensor* weights = nullptr) const;
  // The causal block piece by piece: x follows what `past` holds, and `past` grows by x's slots.
  Tensor extend(const Tensor& x, Memory& past, const Memory* source, const Pass& pass,
                Tensor* weights = nullptr) const;
  void visit(const Visitor& visitor) const override;

  MultiHeadAttention self_attn;
  std::optional<MultiHeadAttention> multihead_attn;
  FeedForward feed_forward;
  Norm norm1, norm2;
  std::optional<Norm> norm3;
  Dropout dropout;
  bool pre_norm;

 private:
  template <class F>
  Tensor branch(const Tensor& x, const Norm& norm, const Pass& pass, F f) const;
  // What follows the self-attention.
  Tensor rest(Tensor x, const Memory* source, const Pass& pass, Tensor* weights) const;
};

}  // namespace heed::inline HEED_PRECISION
