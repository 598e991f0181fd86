#include "examples/support/train.hpp"

#include <algorithm>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/streams.hpp"
#include "layers/models/tokens.hpp"
#include "optim/clip.hpp"

namespace heed::examples {

namespace {

// The attention of examples[rows], fed their true targets, against their gold alignment.
void add_alignment(const Seq2Seq& model, const std::vector<Example>& examples, std::span<const int32_t> rows,
                   AlignmentErrors& errors) {
  const NoGrad no_grad;
  const Batch batch = make_batch(examples, rows);
  const Tensor weights = model(batch.source, batch.lengths, batch.input, {}).weights;  // (B, T, S)
  if (!weights.defined()) {
    for (const int32_t row : rows) errors.miss(examples[size_t(row)].gold);
    return;
  }
  const int64_t slots = weights.size(2), map = weights.size(1) * slots;
  for (size_t b = 0; b < rows.size(); ++b)
    errors.add(weights.values().subspan(b * size_t(map), size_t(map)), slots, examples[size_t(rows[b])].gold);
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
      rng_(draw_from(Stream::dropout, settings.seed)) {}

void Trainer::step(const Batch& batch, Progress& progress) {
  adam_.set_lr(schedule_(step_++));
  adam_.zero_grad();
  const Pass pass{.train = true, .rng = &rng_};
  const Tensor logits = model_(batch.source, batch.lengths, batch.input, pass).logits;  // (B, T, V)
  const Tensor loss =
      cross_entropy(logits, batch.output, {.ignore = tokens::pad, .label_smoothing = label_smoothing_});
  backward(loss);
  clip_grad_norm(adam_.parameters(), 1);
  adam_.step();
  progress.step(double(loss.item()), right_share(logits, batch), batch.tokens);
}

std::vector<Decoded> decode(const Seq2Seq& model, const std::vector<Example>& examples, int64_t batch) {
  std::vector<Decoded> answers(examples.size());
  for (const auto& rows : sorted_batches(examples, batch)) {
    const Batch b = make_batch(examples, rows);
    const int64_t longest = std::max(2 * b.source.shape()[1] + 10, b.output.shape()[1] + 10);
    std::vector<Decoded> part = greedy(model, b.source, b.lengths, longest);
    for (size_t i = 0; i < rows.size(); ++i) answers[size_t(rows[i])] = std::move(part[i]);
  }
  return answers;
}

Evaluation evaluate(const Seq2Seq& model, const std::vector<Example>& examples, int64_t batch) {
  Evaluation result;
  for (Decoded& answer : decode(model, examples, batch)) result.outputs.push_back(std::move(answer.tokens));
  std::vector<Tokens> references;
  references.reserve(examples.size());
  for (const Example& e : examples) references.push_back(e.target);
  result.scores = score(result.outputs, references);
  AlignmentErrors errors;
  if (!examples.front().gold.empty())  // a task's examples all have alignments, a file's none
    for (const auto& rows : sorted_batches(examples, batch)) add_alignment(model, examples, rows, errors);
  result.aer = errors.rate();
  return result;
}

}  // namespace heed::examples
