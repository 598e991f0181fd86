#include "examples/support/train.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/model_kinds.hpp"
#include "examples/support/streams.hpp"
#include "layers/attention_losses.hpp"
#include "layers/models/tokens.hpp"
#include "layers/normalizers.hpp"
#include "optim/clip.hpp"

namespace heed::examples {

namespace {

// What is known of the weights of symbols with a gold alignment.
struct Alignment {
  AlignmentErrors errors;
  double entropy = 0;  // the sum over symbols
  int64_t symbols = 0;
};

double entropy(std::span<const real> weights) {
  double sum = 0;
  for (const real w : weights) sum -= w > 0 ? double(w) * std::log(double(w)) : 0;
  return sum;
}

// The attention of examples[rows], fed their true targets, against their gold alignment.
void add_alignment(const Seq2Seq& model, const std::vector<Example>& examples, std::span<const int32_t> rows,
                   Alignment& alignment) {
  const NoGrad no_grad;
  const Batch batch = make_batch(examples, rows);
  const Tensor weights = model(batch.source, batch.lengths, batch.input, {}).weights;  // (B, T, S)
  if (!weights.defined()) {
    for (const int32_t row : rows) alignment.errors.miss(examples[size_t(row)].gold);
    return;
  }
  const int64_t slots = weights.size(2), map = weights.size(1) * slots;
  for (size_t b = 0; b < rows.size(); ++b) {
    const Tokens& gold = examples[size_t(rows[b])].gold;
    const auto of_row = weights.values().subspan(b * size_t(map), size_t(map));
    alignment.errors.add(of_row, slots, gold);
    for (size_t t = 0; t < gold.size(); ++t) {
      if (gold[t] < 0) continue;
      alignment.entropy += entropy(of_row.subspan(t * size_t(slots), size_t(slots)));
      ++alignment.symbols;
    }
  }
}

}  // namespace

double right_share(const Tensor& logits, const Batch& batch) {
  const Ids best = argmax(logits);
  int64_t right = 0;
  for (int64_t i = 0; i < best.size(); ++i)
    right += batch.output[i] != tokens::pad && best[i] == batch.output[i];
  return double(right) / double(batch.tokens);
}

Trainer::Trainer(const Seq2Seq& model, const Settings& settings, int64_t steps)
    : model_(model),
      adam_(parameters(model), {.lr = settings.lr}),
      schedule_(linear_warmup(settings.warmup, linear_decay(settings.lr, steps))),
      label_smoothing_(real(settings.label_smoothing)),
      guidance_(real(settings.guidance)),
      guided_(real(settings.guided)),
      doubly_stochastic_(real(settings.doubly_stochastic)),
      reinforce_(has_scorer(settings) && wants_reward(settings.normalizer)),
      rng_(draw_from(Stream::dropout, settings.seed)) {}

void Trainer::step(const Batch& batch, Progress& progress) {
  adam_.set_lr(schedule_(step_++));
  adam_.zero_grad();
  const Pass pass{.train = true, .rng = &rng_};
  const Prediction predicted = model_(batch.source, batch.lengths, batch.input, pass);
  const Tensor& logits = predicted.logits;  // (B, T, V)
  const Tensor likely =
      cross_entropy(logits, batch.output, {.ignore = tokens::pad, .label_smoothing = label_smoothing_});
  Tensor loss = likely;
  if (guidance_ > 0) loss = loss + scale(alignment_loss(predicted.weights, batch.gold), guidance_);
  if (guided_ > 0 || doubly_stochastic_ > 0) loss = loss + shape_loss(predicted.weights, batch);
  if (reinforce_) loss = loss + reinforce_loss(predicted, batch);
  backward(loss);
  clip_grad_norm(adam_.parameters(), 1);
  adam_.step();
  progress.step(double(likely.item()), right_share(logits, batch), batch.tokens);
}

Tensor Trainer::shape_loss(const Tensor& weights, const Batch& batch) const {
  const int64_t rows = batch.output.shape()[0], steps = batch.output.shape()[1];
  std::vector<int32_t> queries(static_cast<size_t>(rows));
  for (int64_t i = 0; i < batch.output.size(); ++i)
    queries[size_t(i / steps)] += batch.output[i] != tokens::pad ? 1 : 0;
  const Extent extent{.queries = queries, .slots = batch.lengths};
  Tensor loss = Tensor::scalar(0);
  if (guided_ > 0) loss = loss + scale(guided_attention_loss(weights, real(0.2), extent), guided_);
  if (doubly_stochastic_ > 0)
    loss = loss + scale(doubly_stochastic_loss(weights, extent), doubly_stochastic_);
  return loss;
}

Tensor Trainer::reinforce_loss(const Prediction& predicted, const Batch& batch) {
  const Shape& shape = batch.output.shape();  // (B, T)
  Tensor counts = Tensor::zeros(shape);
  for (int64_t i = 0; i < counts.size(); ++i) counts.mutable_data()[i] = batch.output[i] != tokens::pad;
  const Tensor log_p = log_softmax(predicted.logits.detach());
  Tensor reward = gather(log_p, Ids({shape[0], shape[1], 1}, batch.output.values())).reshape(shape);
  const Tensor padding = shift(neg(counts), 1);  // gets the usual reward, so that the baseline ignores it
  reward = reward * counts + scale(padding, reinforce_loss_.baseline);
  const Attended chosen{{}, predicted.weights, predicted.probabilities};
  const Tensor loss = reinforce_loss_(log_probability(chosen) * counts,
                                      entropy(predicted.probabilities) * counts, reward);  // a sum per row
  return scale(loss, real(shape[0]) / real(batch.tokens));
}

std::vector<std::vector<Decoded>> decode(const Seq2Seq& model, const std::vector<Example>& examples,
                                         const BeamOptions& beam, int64_t batch, int64_t most) {
  std::vector<std::vector<Decoded>> answers(examples.size());
  for (const auto& rows : sorted_batches(examples, batch)) {
    const Batch b = make_batch(examples, rows);
    const int64_t longest = std::min(most, longest_answer(b.source.shape()[1], b.output.shape()[1] - 1));
    std::vector<std::vector<Decoded>> part = beam_search(model, b.source, b.lengths, longest, beam);
    for (size_t i = 0; i < rows.size(); ++i) answers[size_t(rows[i])] = std::move(part[i]);
  }
  return answers;
}

Evaluation evaluate(const Seq2Seq& model, const std::vector<Example>& examples, const BeamOptions& beam,
                    int64_t batch) {
  Evaluation result;
  for (auto& answers : decode(model, examples, beam, batch))
    result.outputs.push_back(std::move(answers.front().tokens));
  std::vector<Tokens> references;
  references.reserve(examples.size());
  for (const Example& e : examples) references.push_back(e.reference.empty() ? e.target : e.reference);
  result.scores = score(result.outputs, references);
  Alignment alignment;
  if (!examples.front().gold.empty())  // a task's examples all have alignments, a file's none
    for (const auto& rows : sorted_batches(examples, batch)) add_alignment(model, examples, rows, alignment);
  result.aer = alignment.errors.rate();
  if (alignment.symbols > 0) result.entropy = alignment.entropy / double(alignment.symbols);
  return result;
}

}  // namespace heed::examples
