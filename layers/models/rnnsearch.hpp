#pragma once

#include "layers/models/gated.hpp"
#include "layers/models/seq2seq.hpp"
#include "layers/normalizers/softmax.hpp"
#include "layers/scorers/additive.hpp"

namespace heed::inline HEED_PRECISION {

// RNNsearch to the letter (Bahdanau, Cho & Bengio 2014, appendix A.2). Memory: one slot h_j for each source
// token, keys and values.
//   encoder    h_j = [forward h_j; backward h_j], gated units over the embedded source; both directions share
//              the embedding
//   s_0      = tanh(W_s backward h_1)
//   c_i      = sum_j alpha_ij h_j, alpha_i = softmax_j(v_a . tanh(W_a s_(i-1) + U_a h_j)); U_a h_j once
//   s_i, y_i   GatedDecoder, told y_(i-1) and c_i
// The readout sees s_(i-1) by default, as the paper's formula does (GatedDecoder says of what). The paper
// omits biases; there is one in every sum but that of the alignment model. Told a memory of a single slot c,
// c_i is c, and with its `reset` and `current` this is the RNN Encoder-Decoder (rnn_encoder_decoder.hpp), as
// A.2.2 remarks. Init (B.1): recurrent matrices random orthogonal; W_a, U_a N(0, 0.001^2); v_a and biases 0;
// all else N(0, 0.01^2), the embeddings too. Paper's sizes: embed 620, hidden 1000, alignment 1000, maxout
// 500.
struct RnnSearch : Seq2Seq {
  struct Options {
    int64_t source_vocabulary = 0;
    int64_t target_vocabulary = 0;
    int64_t embed = 32;     // m
    int64_t hidden = 64;    // n, of the decoder and of the encoder in each direction
    int64_t alignment = 0;  // n', the alignment model's hidden layer; 0: n
    int64_t maxout = 0;     // l, maxout units; 0: n / 2
    GatedUnit::Reset reset = GatedUnit::Reset::state;
    bool current = false;  // the readout sees s_i
  };

  // Throws on sizes below 1.
  RnnSearch(const Options& options, Rng& rng);

  Prediction operator()(const Ids& source, std::span<const int32_t> lengths, const Ids& target,
                        const Pass& pass) const override;
  // DecoderState: one memory, the source; one tensor, s.
  [[nodiscard]] DecoderState start(const Ids& source, std::span<const int32_t> lengths) const override;
  Prediction step(DecoderState& state, const Ids& previous) const override;
  void visit(const Visitor& visitor) const override;

  Embedding embedding;  // of the source
  GatedUnit encoder_forward, encoder_backward;
  Tensor W_s, b_s;
  Additive scorer;
  Softmax normalizer;
  GatedDecoder decoder;

 private:
  struct Step {
    Tensor s_o;      // what the readout sees: s_(i-1), or s_i (B, H)
    Tensor context;  // c_i (B, 2H)
    Tensor weights;  // alpha_i (B, S)
  };
  // One step, given what the cell read of E y (B, 3H).
  Step advance(DecoderState& state, const Tensor& from_y, const Pass& pass) const;
};

}  // namespace heed::inline HEED_PRECISION
