#include "layers/models/decode.hpp"

#include <algorithm>
#include <numeric>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "layers/models/tokens.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

// The batch rows that still go on: `rows[i]` is the answer that row i of the batch writes.
struct Running {
  std::vector<int32_t> rows;
  std::vector<int32_t> previous;  // the token that each chose last
};

// The first of the likeliest tokens that can stand in an answer or end it: neither pad nor bos, which come
// before eos.
int32_t likeliest(std::span<const real> log_p) {
  static_assert(tokens::pad < tokens::eos && tokens::bos < tokens::eos);
  return static_cast<int32_t>(std::max_element(log_p.begin() + tokens::eos, log_p.end()) - log_p.begin());
}

// Drops the rows whose answer is finished, when they are half of the batch or more.
void shrink(Running& running, DecoderState& state, const std::vector<Decoded>& answers, int64_t max_length) {
  std::vector<int32_t> going;
  for (size_t i = 0; i < running.rows.size(); ++i) {
    const Decoded& answer = answers[static_cast<size_t>(running.rows[i])];
    const bool done = answer.ended || static_cast<int64_t>(answer.tokens.size()) >= max_length;
    if (!done) going.push_back(static_cast<int32_t>(i));
  }
  if (2 * going.size() > running.rows.size()) return;
  Running rest;
  for (const int32_t i : going) {
    rest.rows.push_back(running.rows[static_cast<size_t>(i)]);
    rest.previous.push_back(running.previous[static_cast<size_t>(i)]);
  }
  if (!going.empty()) state = state.select(going);
  running = std::move(rest);
}

}  // namespace

std::vector<Decoded> greedy(const Seq2Seq& model, const Ids& source, std::span<const int32_t> lengths,
                            int64_t max_length) {
  if (max_length < 1) fail("greedy: max_length {} must be at least 1", max_length);
  const NoGrad no_grad;
  DecoderState state = model.start(source, lengths);
  const auto batch = static_cast<size_t>(source.shape()[0]);
  const int64_t slots = source.shape()[1];
  std::vector<Decoded> answers(batch);
  std::vector<std::vector<real>> weights(batch);
  bool attends = false;
  Running running{.rows = std::vector<int32_t>(batch), .previous = std::vector<int32_t>(batch, tokens::bos)};
  std::iota(running.rows.begin(), running.rows.end(), 0);

  for (int64_t step = 0; step < max_length && !running.rows.empty(); ++step) {
    const auto rows = static_cast<int64_t>(running.rows.size());
    const Prediction predicted = model.step(state, Ids({rows}, running.previous));
    attends = predicted.weights.defined();
    const Tensor log_p = log_softmax(predicted.logits);
    if (log_p.size(1) <= tokens::eos) fail("greedy: a vocabulary of {} has no end", log_p.size(1));
    for (int64_t i = 0; i < rows; ++i) {
      const auto row = static_cast<size_t>(running.rows[static_cast<size_t>(i)]);
      Decoded& answer = answers[row];
      const std::span<const real> p =
          log_p.values().subspan(static_cast<size_t>(i * log_p.size(1)), static_cast<size_t>(log_p.size(1)));
      const int32_t best = likeliest(p);
      running.previous[static_cast<size_t>(i)] = best;
      if (answer.ended) continue;
      answer.log_probability += p[static_cast<size_t>(best)];
      answer.ended = best == tokens::eos;
      if (answer.ended) continue;
      answer.tokens.push_back(best);
      if (!predicted.weights.defined()) continue;
      const real* w = predicted.weights.data() + i * slots;
      weights[row].insert(weights[row].end(), w, w + slots);
    }
    shrink(running, state, answers, max_length);
  }
  for (size_t b = 0; b < batch; ++b) {
    const auto length = static_cast<int64_t>(answers[b].tokens.size());
    if (attends) answers[b].weights = Tensor::from({length, slots}, weights[b]);
  }
  return answers;
}

}  // namespace heed::inline HEED_PRECISION
