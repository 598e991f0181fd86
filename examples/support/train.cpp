#include "examples/support/train.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/model_kinds.hpp"
#include "examples/support/share.hpp"
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

  void sum_over_ranks() {
    double sums[] = {double(errors.links), double(errors.hits), entropy, double(symbols)};
    distributed::all_reduce(std::span<double>(sums));
    errors = {.links = std::llround(sums[0]), .hits = std::llround(sums[1])};
    entropy = sums[2];
    symbols = std::llround(sums[3]);
  }
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

// The most symbols that the answer to a row of this batch may have.
int64_t most_symbols(const Batch& batch) {
  return longest_answer(batch.source.shape()[1], batch.output.shape()[1] - 1);
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
      ranks_(adam_.parameters()),
      schedule_(linear_warmup(settings.warmup, linear_decay(settings.lr, steps))),
      label_smoothing_(real(settings.label_smoothing)),
      guidance_(real(settings.guidance)),
      guided_(real(settings.guided)),
      doubly_stochastic_(real(settings.doubly_stochastic)),
      reinforce_(has_scorer(settings) && wants_reward(settings.normalizer)),
      rng_(draw_own(Stream::dropout, settings.seed)) {}

void Trainer::step(const std::vector<Example>& examples, std::span<const int32_t> rows, Progress& progress) {
  const OwnBatch batch = own_batch(examples, rows);
  const double symbols = count_of(batch.output, tokens::pad, batch.share);
  const double own_rows = batch.share.counts ? double(batch.share.rows.size()) : 0;
  const auto shares = DataParallel::shares({symbols, own_rows, count_of(batch.gold, -1, batch.share)});
  adam_.set_lr(schedule_(step_++));
  adam_.zero_grad();
  const Pass pass{.train = true, .rng = &rng_};
  const Prediction predicted = model_(batch.source, batch.lengths, batch.input, pass);
  const Tensor& logits = predicted.logits;  // (B, T, V)
  const Tensor likely =
      cross_entropy(logits, batch.output, {.ignore = tokens::pad, .label_smoothing = label_smoothing_});
  Tensor loss = weigh(likely, shares[0]);
  if (guidance_ > 0)
    loss = loss + weigh(scale(alignment_loss(predicted.weights, batch.gold), guidance_), shares[2]);
  if (guided_ > 0 || doubly_stochastic_ > 0)
    loss = loss + weigh(shape_loss(predicted.weights, batch), shares[1]);
  if (reinforce_) loss = loss + weigh(reinforce_loss(predicted, batch), shares[0]);
  backward(loss);
  ranks_.sum_gradients();
  clip_grad_norm(adam_.parameters(), 1);
  adam_.step();
  const StepFindings own{
      .loss = double(likely.item()), .right = right_share(logits, batch), .count = symbols};
  progress.step(over_ranks(own, shares[0]));
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
    std::vector<std::vector<Decoded>> part =
        beam_search(model, b.source, b.lengths, std::min(most, most_symbols(b)), beam);
    for (size_t i = 0; i < rows.size(); ++i) answers[size_t(rows[i])] = std::move(part[i]);
  }
  return answers;
}

Evaluation evaluate(const Seq2Seq& model, const std::vector<Example>& examples, const BeamOptions& beam,
                    int64_t batch) {
  std::vector<int32_t> found;  // the number of an example, the length of its answer, the answer; and so on
  Alignment alignment;
  for (const auto& all : sorted_batches(examples, batch)) {  // every rank takes rows of each
    std::vector<int32_t> rows;
    for (const int32_t i : own_turns(int64_t(all.size()))) rows.push_back(all[size_t(i)]);
    if (rows.empty()) continue;
    const Batch own = make_batch(examples, rows);
    const std::vector<std::vector<Decoded>> answers =
        beam_search(model, own.source, own.lengths, most_symbols(make_batch(examples, all)), beam);
    for (size_t i = 0; i < rows.size(); ++i) {
      const Tokens& answer = answers[i].front().tokens;
      found.insert(found.end(), {rows[i], int32_t(answer.size())});
      found.insert(found.end(), answer.begin(), answer.end());
    }
    // a task's examples all have alignments, a file's none
    if (!examples.front().gold.empty()) add_alignment(model, examples, rows, alignment);
  }
  found = distributed::all_gather(found);
  Evaluation result;
  result.outputs.resize(examples.size());
  for (auto at = found.begin(); at != found.end();) {
    const auto begin = at + 2, end = begin + at[1];
    result.outputs[size_t(at[0])] = {begin, end};
    at = end;
  }
  std::vector<Tokens> references;
  references.reserve(examples.size());
  for (const Example& e : examples) references.push_back(e.reference.empty() ? e.target : e.reference);
  result.scores = score(result.outputs, references);
  alignment.sum_over_ranks();
  result.aer = alignment.errors.rate();
  if (alignment.symbols > 0) result.entropy = alignment.entropy / double(alignment.symbols);
  return result;
}

}  // namespace heed::examples
