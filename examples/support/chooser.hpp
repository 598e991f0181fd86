#pragma once

#include "examples/support/batch.hpp"
#include "layers/embedding.hpp"
#include "layers/linear.hpp"
#include "layers/models/seq2seq.hpp"
#include "layers/recurrent.hpp"
#include "layers/scorers/bilinear.hpp"

namespace heed::examples {

// A small encoder-decoder for questions about hard attention. Keys are the states of a GRU in both
// directions, values the source embeddings, the query is the state h_t of a GRU over the target that begins
// at 0 (what the decoder knows of the source it has from its looks alone), and p(y_t | c_t) = softmax(W_o
// tanh(W_c [c_t; h_t])). The context goes to the output and into no state (Luong's order): the look at t
// decides about y_t alone, so that a sum over all choices is a sum over slots, step by step.
struct Chooser : Seq2Seq {
  Chooser(int64_t vocabulary, int64_t embed, int64_t hidden, Rng& rng);

  // What stands before the first look, of a whole batch.
  struct Asked {
    Memory memory;
    Tensor query;   // (B, T, H)
    Tensor scores;  // (B, T, S)
  };
  [[nodiscard]] Asked ask(const Batch& batch) const;
  // log p(y_t | context_t): context (B, T, E), or (B, T, S, E) for one context per slot; -> (B, T), (B, T,
  // S).
  [[nodiscard]] Tensor log_p(const Asked& asked, const Tensor& context, const Ids& output) const;
  // log p(y_t | the value of slot s) for each of them: (B, T, S).
  [[nodiscard]] Tensor log_p_of_slots(const Asked& asked, const Ids& output) const;

  // Those of the scorer and of the keys' encoder, whose gradient comes through the scores alone: what learns
  // where to look.
  [[nodiscard]] TensorList choosing_parameters() const;

  // The looks of a prediction: in evaluation.
  Prediction operator()(const Ids& source, std::span<const int32_t> lengths, const Ids& target,
                        const Pass& pass) const override;
  [[nodiscard]] DecoderState start(const Ids& source, std::span<const int32_t> lengths) const override;
  Prediction step(DecoderState& state, const Ids& previous) const override;
  void visit(const Visitor& visitor) const override;

  // How a prediction looks: at the most probable slot alone, or at the average.
  bool hard = true;

 private:
  [[nodiscard]] Memory read(const Ids& source, std::span<const int32_t> lengths) const;
  [[nodiscard]] Prediction predict(const Tensor& query, const Memory& memory) const;
  // logits: context (..., E), query (..., H) -> (..., V)
  [[nodiscard]] Tensor logits(const Tensor& context, const Tensor& query) const;

  Embedding source_embedding_, target_embedding_;
  GRU encoder_, decoder_;
  Bilinear scorer_;
  Linear attentional_, output_;
};

}  // namespace heed::examples
