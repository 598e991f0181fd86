#pragma once

#include <memory>
#include <string>

#include "layers/attention.hpp"
#include "layers/dropout.hpp"
#include "layers/embedding.hpp"
#include "layers/linear.hpp"
#include "layers/models/encoder_decoder.hpp"
#include "layers/recurrent.hpp"

// The recurrent halves of an encoder-decoder, for pairs of unlike ones (Chen et al. 2018). RecurrentSeq2Seq
// (recurrent.hpp) is the model of one piece, whose decoder also receives the encoder's last states.

namespace heed::inline HEED_PRECISION {

// Embedding, dropout, Recurrent in both directions. Memory: keys = values = its states (B, S, H), forward and
// backward side by side. Init: embeddings N(0, 1), all else as its layer. Throws on sizes below 1 and on an
// odd H.
struct RecurrentEncoder : Encoder {
  struct Options {
    int64_t vocabulary = 0;
    Cell cell = Cell::gru;
    int64_t embed = 32;
    int64_t hidden = 64;  // H, half in each direction
    int64_t layers = 1;
    real dropout = 0;  // on the embeddings and between layers
  };
  RecurrentEncoder(const Options& options, Rng& rng);

  Memory operator()(const Ids& source, std::span<const int32_t> lengths, const Pass& pass) const override;
  [[nodiscard]] int64_t size() const override { return size_; }  // H
  void visit(const Visitor& visitor) const override;

  Embedding embedding;
  Recurrent recurrent;

 private:
  int64_t size_;
  Dropout dropout_;
};

// Luong's order (DecoderOrder::luong) over any memory: with y_t the embedded previous token,
//   s_t = f(y_t, s_(t-1)),  c_t = attend(s_t),  a_t = tanh(W_c [c_t; s_t]),  logits = W_o a_t + b_o
// A Memory is all that passes from the encoder, so that each layer begins in tanh(W (mean of the values that
// the mask shows) + b), an LSTM's cell too: about where an RNN that had read them would stand. Parameters as
// RecurrentSeq2Seq's: embedding, decoder, bridges, scorer, normalizer, attentional (without bias), output.
// Init: as RecurrentEncoder. Throws on sizes below 1 and whatever the scorer objects to.
struct RecurrentDecoder : Decoder {
  struct Options {
    int64_t vocabulary = 0;
    int64_t memory = 64;  // features of keys and of values
    Cell cell = Cell::gru;
    int64_t embed = 32;
    int64_t hidden = 64;  // H
    int64_t layers = 1;
    std::string scorer = "additive";
    std::string normalizer = "softmax";
    real temperature = 1;  // of the normalizer, if it has one
    int64_t window = 2;    // of local attention: slots to either side
    int64_t slots = 0;     // the most source tokens, for a scorer with parameters per slot
    real dropout = 0;      // on embeddings, between layers, on the attentional vector
  };
  RecurrentDecoder(const Options& options, Rng& rng);

  Prediction operator()(const Memory& source, const Ids& target, const Pass& pass) const override;
  [[nodiscard]] DecoderState start(const Memory& source) const override;
  Prediction step(DecoderState& state, const Ids& previous) const override;
  void visit(const Visitor& visitor) const override;

  Embedding embedding;
  Recurrent decoder;
  std::vector<Linear> bridges;  // one for each layer
  std::unique_ptr<Scorer> scorer;
  std::unique_ptr<Normalizer> normalizer;
  Linear attentional, output;

 private:
  // DecoderState: memories: the source; tensors: the state of each layer.
  // What follows the recurrence, of all states h (B, T, H) or of one (B, H).
  Prediction read(const Tensor& h, DecoderState& state, const Pass& pass) const;

  Dropout dropout_;
};

}  // namespace heed::inline HEED_PRECISION
