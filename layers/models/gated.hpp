#pragma once

#include <initializer_list>
#include <span>

#include "layers/embedding.hpp"
#include "layers/module.hpp"

// What the RNN Encoder-Decoder (Cho et al. 2014) and RNNsearch (Bahdanau et al. 2014) share: the gated hidden
// unit, and a decoder made of it that is told a context at each step. Letters: B batch, T time, I input
// features, H hidden, C features of the context, L maxout units, V vocabulary; `o` is the product of
// elements.

namespace heed::inline HEED_PRECISION {

// The gated hidden unit as its authors print it (Bahdanau et al. 2014, A.1.1; sigma is the logistic
// function):
//   r, z = sigma(W x + U s + C c)     each with matrices of its own
//   s~   = tanh(W x + C c + U (r o s))
//   s'   = (1 - z) o s + z o s~
// torch.nn.GRU multiplies by r after the product with U, and its z weighs the old state; so does the z of Cho
// et al. 2014 (eq. 7), which is the same function with the sign of z's parameters turned. The decoder of
// their appendix A has s~ = tanh(W x + r o (U s + C c)): Reset::product. Parameters, rows in the order r, z,
// s~: W (3H, I), C (3H, C) and b (3H); U_rz (2H, H), U (H, H). Both papers leave the biases out of their
// formulas; here every sum has one. Init (Bahdanau, B.1): U and each half of U_rz random orthogonal, W and C
// N(0, 0.01^2), b = 0.
struct GatedUnit : Module {
  enum class Reset { state, product };
  struct Options {
    int64_t input = 0;
    int64_t hidden = 0;
    int64_t context = 0;  // 0: no C
    Reset reset = Reset::state;
  };
  // Throws on input or hidden below 1, context below 0.
  GatedUnit(const Options& options, Rng& rng);

  // What the input and the context give, for any number of steps at once: W x + b and C c, (..., 3H).
  [[nodiscard]] Tensor read(const Tensor& x) const;
  [[nodiscard]] Tensor read_context(const Tensor& c) const;
  // One step: what was read (B, 3H), of the context too if there is one, and s (B, H) -> s' (B, H).
  Tensor operator()(const Tensor& from_x, const Tensor& from_c, const Tensor& s) const;
  // Over a whole sequence without context, from a state of zeros: x (B, T, I) -> all states (B, T, H), in the
  // order of x. After its length a row keeps its state; backward it begins at its own last step.
  [[nodiscard]] Tensor run(const Tensor& x, std::span<const int32_t> lengths, bool backward = false) const;
  void visit(const Visitor& visitor) const override;

  Options options;
  Tensor W, U_rz, U, C, b;
};

// One step of a decoder, told y, the token before, and the context c:
//   s' = cell(E y, c, s)
//   t~ = U_o s_o + V_o E y + C_o c,  t_j = max(t~_(2j-1), t~_(2j)),  logits = W_o t
// (Bahdanau et al. 2014, A.2.2; Cho et al. 2014, A). s_o is s in the former's formula, though p(y_i | s_i,
// ...) stands before it; it is s' in the latter's, which is `current`. Parameters: U_o (2L, H), V_o (2L, I),
// C_o (2L, C), b_o (2L), W_o (V, L), b_y (V), embedding.weight E (V, I). Init: biases 0, all else N(0,
// 0.01^2), the cell's as its own.
struct GatedDecoder : Module {
  struct Options {
    int64_t vocabulary = 0;
    int64_t embed = 0;
    int64_t hidden = 0;
    int64_t context = 0;
    int64_t maxout = 0;  // L
    GatedUnit::Reset reset = GatedUnit::Reset::state;
    bool current = false;  // the readout sees s', not s
  };
  GatedDecoder(const Options& options, Rng& rng);

  // s_o and E y (B, T, ...), c (B, T, C) or (B, 1, C) -> logits (B, T, V); or without T.
  [[nodiscard]] Tensor readout(const Tensor& s, const Tensor& y, const Tensor& c) const;
  void visit(const Visitor& visitor) const override;

  Options options;
  Embedding embedding;
  GatedUnit cell;
  Tensor U_o, V_o, C_o, b_o, W_o, b_y;
};

// A parameter N(0, 0.01^2), as both papers begin the weights that are not recurrent (Bahdanau: nor the
// alignment model's).
Tensor small_normal(const Shape& shape, Rng& rng);

// Throws `who: a 1, b 0 must be at least 1`.
struct NamedSize {
  const char* name;
  int64_t value;
};
void check_sizes(const char* who, std::initializer_list<NamedSize> sizes);

// The decoder of a model that has these options.
template <class Options>
GatedDecoder::Options decoder_options(const Options& o, int64_t context) {
  return {.vocabulary = o.target_vocabulary,
          .embed = o.embed,
          .hidden = o.hidden,
          .context = context,
          .maxout = o.maxout,
          .reset = o.reset,
          .current = o.current};
}

}  // namespace heed::inline HEED_PRECISION
