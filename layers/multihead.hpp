#pragma once

#include <memory>
#include <string>

#include "layers/linear.hpp"
#include "layers/memory.hpp"
#include "layers/positions.hpp"

namespace heed::inline HEED_PRECISION {

// attend's three lines for H heads in one op (dot_attention: ScaledDot, Softmax, average), which never stores
// all weights. H heads, each softmax(q k^T / sqrt(E)) v on its own E = D / H features; their contexts end to
// end, then one linear map (Vaswani et al. 2017, section 3.2.2). With G < H key-value heads, H / G heads
// share one (Ainslie et al. 2023; one for all: Shazeer 2019). torch.nn.MultiheadAttention with its parameter
// names: in_proj_weight (D + 2 G E, D), in_proj_bias: the rows of query, key, value; out_proj.weight (D, D),
// out_proj.bias (D). The features of head h are [h E, (h + 1) E): heads are addressed, never moved. Init:
// in_proj Xavier uniform, biases 0, out_proj.weight as Linear.
//
// A Memory made by prepare holds projected keys and projected values (B, S, G E); prepared once, it serves
// every query (a decoder onto its source) or grows by extend (a decoder onto its own past). Positions that
// act in attention act in self and extend alone: the slots of another sequence have no distance from a query.
// `weights`, where given, receives (B, H, T, S), without a graph.
struct MultiHeadAttention : Module {
  struct Options {
    int64_t heads = 4;
    int64_t kv_heads = 0;  // G, a divisor of the heads; 0: as many as heads
    bool bias = true;
    std::string positions = "none";  // one of known_positions(); those on inputs do nothing here
    int64_t reach = 16;              // of relative positions
  };
  // Throws unless heads divide the size, and key-value heads the heads.
  MultiHeadAttention(int64_t size, const Options& options, Rng& rng);
  MultiHeadAttention(int64_t size, int64_t heads, Rng& rng)
      : MultiHeadAttention(size, {.heads = heads}, rng) {}

  // x (B, S, D) -> its keys and values; or keys of one, values of another.
  [[nodiscard]] Memory prepare(const Tensor& x, const Mask& mask = {}) const;
  [[nodiscard]] Memory prepare(const Tensor& keys, const Tensor& values, const Mask& mask) const;
  // Attention of x (B, T, D) onto a memory: (B, T, D).
  Tensor operator()(const Tensor& x, const Memory& memory, Tensor* weights = nullptr) const;
  // Self-attention: without positions the same as (*this)(x, prepare(x, mask)), by one product for query,
  // keys and values.
  Tensor self(const Tensor& x, const Mask& mask = {}, Tensor* weights = nullptr) const;
  // Causal self-attention of x, which follows what `past` holds: appends its slots to `past`, then attends.
  // Piece by piece it gives what self(x, Mask().causal()) gives at once.
  Tensor extend(const Tensor& x, Memory& past, Tensor* weights = nullptr) const;
  void visit(const Visitor& visitor) const override;

  int64_t size, heads, kv_heads;
  Tensor in_proj_weight, in_proj_bias;
  Linear out_proj;
  std::unique_ptr<Positions> positions;  // null: none

 private:
  [[nodiscard]] int64_t kv_size() const { return size / heads * kv_heads; }  // G E
  // Rows [begin, end) of in_proj: its first `size` are the query's, then kv_size() each of key and value.
  [[nodiscard]] Tensor project(const Tensor& x, int64_t begin, int64_t end) const;
  // Query, keys and values of tokens that stand at first, first + 1, ...
  [[nodiscard]] std::pair<Tensor, Memory> project_self(const Tensor& x, int64_t first) const;
  [[nodiscard]] Tensor finish(const Tensor& q, const Memory& memory, DotAttention how, Tensor* weights) const;
};

}  // namespace heed::inline HEED_PRECISION
