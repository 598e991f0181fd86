#pragma once

#include "layers/models/gated.hpp"
#include "layers/models/seq2seq.hpp"

namespace heed::inline HEED_PRECISION {

// The RNN Encoder-Decoder, without attention (Cho et al. 2014, sections 2.2 and 2.3, appendix A). Memory: a
// single slot, c, which every step is told; nothing is left to choose.
//   encoder   h_1 .. h_N, a gated unit over the embedded source, in one direction
//   c       = tanh(V h_N),  h'_0 = tanh(V' c)
//   h'_t, y_t   GatedDecoder, told y_(t-1) and c; its reset gate weighs U' h' + C c, its readout sees h'_t
// Prediction::weights are undefined: nothing attends.
// Deviations: the update gate is GatedUnit's, which gives the same functions; one
// output matrix, where the paper multiplies two; biases, which the paper omits.
// Init (4.1.1): recurrent matrices random orthogonal, all else N(0, 0.01^2), biases 0.
struct RnnEncoderDecoder : Seq2Seq {
  struct Options {
    int64_t source_vocabulary = 0;
    int64_t target_vocabulary = 0;
    int64_t embed = 32;
    int64_t hidden = 64;                                 // of h, c and h'
    int64_t context = 0;                                 // of c; 0: hidden
    int64_t maxout = 0;                                  // 0: hidden / 2
    GatedUnit::Reset reset = GatedUnit::Reset::product;  // of the decoder
    bool current = true;                                 // the readout sees h'_t
  };

  // Throws on sizes below 1.
  RnnEncoderDecoder(const Options& options, Rng& rng);

  Prediction operator()(const Ids& source, std::span<const int32_t> lengths, const Ids& target,
                        const Pass& pass) const override;
  // DecoderState: one memory, of the slot c; one tensor, h'.
  [[nodiscard]] DecoderState start(const Ids& source, std::span<const int32_t> lengths) const override;
  Prediction step(DecoderState& state, const Ids& previous) const override;
  void visit(const Visitor& visitor) const override;

  Embedding embedding;  // of the source
  GatedUnit encoder;
  Tensor V, b_V, V_prime, b_V_prime;
  GatedDecoder decoder;
};

}  // namespace heed::inline HEED_PRECISION
