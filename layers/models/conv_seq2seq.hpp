#pragma once

#include <optional>
#include <vector>

#include "layers/conv_stack.hpp"
#include "layers/embedding.hpp"
#include "layers/linear.hpp"
#include "layers/models/encoder_decoder.hpp"
#include "layers/normalizers/softmax.hpp"
#include "layers/scorers/dot.hpp"

// ConvS2S (Gehring et al. 2017): no recurrence, no self-attention; position t sees its neighbours, a layer
// further up theirs. Letters beside those of seq2seq.hpp: E embedding, D layers, K width, M memory features.

namespace heed::inline HEED_PRECISION {

// What encoder and decoder begin with: e_t = w_t + 0.1 sqrt(2) p_t, then dropout. The words w begin as N(0,
// 0.1^2); the positions p are sinusoidal, scaled to that variance. The paper learns its own, of which there
// is a last one.
struct ConvEmbedding : Module {
  ConvEmbedding(int64_t vocabulary, int64_t size, real dropout, Rng& rng);

  // (B, T) -> (B, T, E); `first`: the position of the first token.
  Tensor operator()(const Ids& ids, int64_t first, const Pass& pass) const;
  void visit(const Visitor& visitor) const override { visitor("words", words); }

  Embedding words;
  Dropout dropout;
};

// x = W_in e + b; layers x <- sqrt(1/2) (x + glu(conv(dropout(x)))), same padding; z = W_out x + b. Memory:
// keys z_j, values z_j + e_j (eq. 2): the key tells where to look, the value is the word with its place too.
// Init (section 3.6): embeddings N(0, 0.1^2), linear maps N(0, p / n), n their inputs and p the share that
// dropout keeps of these, biases 0, convolutions as GatedConv. Throws on sizes below 1.
struct ConvEncoder : Encoder {
  struct Options {
    int64_t vocabulary = 0;
    int64_t embed = 64;   // E
    int64_t hidden = 64;  // D
    int64_t layers = 2;
    int64_t width = 3;  // K
    real dropout = 0;   // on the embeddings and before every convolution
  };
  ConvEncoder(const Options& options, Rng& rng);

  Memory operator()(const Ids& source, std::span<const int32_t> lengths, const Pass& pass) const override;
  [[nodiscard]] int64_t size() const override { return out.weight.size(0); }  // E
  void visit(const Visitor& visitor) const override;

  ConvEmbedding embedding;
  Linear in, out;
  ConvStack stack;
};

// x = W_in g + b, g_i the embedding of the previous target token; EVERY layer looks into the memory of m
// visible slots (section 3.3):
//   h_i = glu(conv(dropout(x)))_i, causal                     d_i = W_d h_i + b_d + g_i
//   a_ij = softmax_j(d_i . key_j)                             c_i = sqrt(m) sum_j a_ij value_j
//   x <- sqrt(1/2) (x + sqrt(1/2) (h + W_c c + b_c))
// then logits = W_o dropout(W_out x + b) + b_o. sqrt(m) gives an average of m values back the variance of one
// (section 3.5). W_c takes a context into the layer's D features, and where M differs from E, g stands for
// W_g g + b_g. Prediction::weights: a, averaged over the layers. Init: as ConvEncoder.
struct ConvDecoder : Decoder {
  struct Options {
    int64_t vocabulary = 0;
    int64_t memory = 64;  // M: of keys and of values
    int64_t embed = 64;   // E
    int64_t hidden = 64;  // D
    int64_t layers = 2;
    int64_t width = 3;
    real dropout = 0;  // on the embeddings, before every convolution and before the output
  };
  ConvDecoder(const Options& options, Rng& rng);

  Prediction operator()(const Memory& source, const Ids& target, const Pass& pass) const override;
  [[nodiscard]] DecoderState start(const Memory& source) const override;
  Prediction step(DecoderState& state, const Ids& previous) const override;
  void visit(const Visitor& visitor) const override;

  struct Layer : Module {
    Layer(const Options& options, Rng& rng);
    void visit(const Visitor& visitor) const override;

    GatedConv gated;
    Linear query, context;  // W_d, W_c
  };
  ConvEmbedding embedding;
  Linear in, out, output;
  std::optional<Linear> bridge;  // W_g
  std::vector<Layer> layers;

 private:
  // DecoderState: memories: the source, its values times sqrt(m); tensors: of each layer the last K - 1
  // inputs of its convolution (B, K - 1, D).
  [[nodiscard]] Memory prepare(const Memory& source) const;
  // All steps from embedded tokens g (B, T, E) on; `pasts`, where given, are what came before, and go on.
  Prediction run(const Tensor& g, const Memory& memory, TensorList* pasts, const Pass& pass) const;

  Dot scorer_;
  Softmax normalizer_;
  Dropout dropout_;
};

}  // namespace heed::inline HEED_PRECISION
