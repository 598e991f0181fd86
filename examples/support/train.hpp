#pragma once

#include <vector>

#include "examples/support/batch.hpp"
#include "examples/support/metrics.hpp"
#include "examples/support/progress.hpp"
#include "examples/support/settings.hpp"
#include "layers/hard.hpp"
#include "layers/models/beam.hpp"
#include "optim/adam.hpp"
#include "optim/distributed.hpp"
#include "optim/schedule.hpp"

namespace heed::examples {

// The share of symbols to predict that have the highest probability.
double right_share(const Tensor& logits, const Batch& batch);

// One model in training: Adam, gradients clipped at norm 1, a learning rate that warms up and falls to 0 in a
// straight line over `steps`.
class Trainer {
 public:
  Trainer(const Seq2Seq& model, const Settings& settings, int64_t steps);

  // One step on the batch of examples[rows[0]], examples[rows[1]], ..., of which every rank computes its
  // share, told to `progress`. The loss is the mean over target symbols of -log p(symbol | those before it,
  // source), and where the settings ask for it
  //   + guided and doubly_stochastic times the losses of attention_losses.hpp of that name, of each row's
  //     real symbols (its end among them) and positions
  //   + guidance times the mean of -log of the gold position's weight
  //   + the normalizer `reinforce`: ReinforceLoss per symbol. The reward of a choice is log p of its own
  //     symbol: all that it decides in Luong's order; in the others what it does later is not counted.
  void step(const std::vector<Example>& examples, std::span<const int32_t> rows, Progress& progress);
  // Throws unless all ranks learned the same.
  void check() const { ranks_.check(); }

 private:
  Tensor reinforce_loss(const Prediction& prediction, const Batch& batch);
  [[nodiscard]] Tensor shape_loss(const Tensor& weights, const Batch& batch) const;

  const Seq2Seq& model_;
  Adam adam_;
  DataParallel ranks_;
  Schedule schedule_;
  real label_smoothing_;
  real guidance_, guided_, doubly_stochastic_;
  bool reinforce_;
  ReinforceLoss reinforce_loss_{.entropy_weight = real(0.02)};
  Rng rng_;  // of dropout, of normalizers
  int64_t step_ = 0;
};

// What a model makes of `examples`: of the answers, the best that the beam finds.
struct Evaluation {
  Scores scores;
  // Over examples with gold alignments: of the weights with which the model, fed the true target (teacher
  // forcing), predicts each of its symbols, whatever it would have written itself. 1 where nothing attends:
  // no link is found.
  double aer = 0;
  double entropy = 0;  // of the same weights, in nats, the mean: 0 looks at one slot, log S at all alike
  std::vector<Tokens> outputs;  // in the order of the examples
};
Evaluation evaluate(const Seq2Seq& model, const std::vector<Example>& examples,
                    const BeamOptions& beam = {.width = 1}, int64_t batch = 64);

// The beam.n_best answers to each source, each of at most longest_answer symbols (settings.hpp), by the
// source and target lengths of its batch, and of at most `most`.
std::vector<std::vector<Decoded>> decode(const Seq2Seq& model, const std::vector<Example>& examples,
                                         const BeamOptions& beam = {.width = 1}, int64_t batch = 64,
                                         int64_t most = CommandLine::any);

}  // namespace heed::examples
