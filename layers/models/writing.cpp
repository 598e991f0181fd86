#include "layers/models/writing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "layers/models/tokens.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

constexpr real impossible = -std::numeric_limits<real>::infinity();

void check_vocabulary(const char* who, const Limits& limits, int64_t size) {
  if (limits.end >= size) fail("{}: a vocabulary of {} has no end, token {}", who, size, limits.end);
  for (const int32_t token : limits.never) {
    if (token >= 0 && token < size) continue;
    fail("{}: token {}, which must not come, is outside [0, {})", who, token, size);
  }
}

// The batch rows that still go on: `rows[i]` is the answer that row i of the batch writes.
struct Running {
  std::vector<int32_t> rows;
  std::vector<int32_t> previous;  // the token that each chose last
};

// Drops the rows whose answer is finished, when they are half of the batch or more.
void shrink(Running& running, Writing& writing, const std::vector<Decoded>& answers) {
  std::vector<int32_t> going;
  for (size_t i = 0; i < running.rows.size(); ++i) {
    if (!answers[static_cast<size_t>(running.rows[i])].ended) going.push_back(static_cast<int32_t>(i));
  }
  if (2 * going.size() > running.rows.size()) return;
  Running rest;
  for (const int32_t i : going) {
    rest.rows.push_back(running.rows[static_cast<size_t>(i)]);
    rest.previous.push_back(running.previous[static_cast<size_t>(i)]);
  }
  if (!going.empty()) writing.keep(going);
  running = std::move(rest);
}

}  // namespace

Writing::Writing(const char* who, const Autoregressive& model, DecoderState state, const Ids& previous,
                 const Limits& limits)
    : who_(who),
      model_(model),
      state_(std::move(state)),
      limits_(limits),
      batch_(previous.size()),
      rows_(previous.size()) {
  if (previous.shape().rank() != 1 || previous.size() < 1) {
    fail("{}: previous tokens are {}, wants (B) with B at least 1", who, previous.shape().text());
  }
  if (limits.max_length < 1) fail("{}: max_length {} must be at least 1", who, limits.max_length);
  if (limits.end < -1) fail("{}: end {} is no token, and not -1, which stands for none", who, limits.end);
}

Writing::Next Writing::step(std::span<const int32_t> previous) {
  const NoGrad no_grad;
  const Prediction predicted = model_.step(state_, Ids({rows_}, previous));
  Next next{log_softmax(predicted.logits), {}};
  const int64_t size = next.log_p.size(1);
  if (steps_ == 0) check_vocabulary(who_, limits_, size);
  for (real* p = next.log_p.mutable_data(); const int32_t token : limits_.never) {
    for (int64_t i = 0; i < rows_; ++i) {
      if (!std::isnan(p[i * size + token])) p[i * size + token] = impossible;
    }
  }
  if (!limits_.lengths.empty() && predicted.weights.defined()) {
    next.weights = predicted.weights;
    if (steps_ == 0) {
      slots_ = next.weights.size(1);
      check_lengths(who_, limits_.lengths, batch_, slots_);
    }
    if (next.weights.size(1) != slots_) {
      fail("{}: weights on {} slots after weights on {}; without lengths none are kept", who_,
           next.weights.size(1), slots_);
    }
  }
  ++steps_;
  return next;
}

std::span<const real> Writing::row(const Next& next, size_t i) const {
  const auto size = static_cast<size_t>(next.log_p.size(1));
  const std::span<const real> log_p = next.log_p.values().subspan(i * size, size);
  const auto nan = std::ranges::find_if(log_p, [](real p) { return std::isnan(p); });
  if (nan != log_p.end()) {
    fail("{}: log p of token {} is nan at step {} of row {}", who_, nan - log_p.begin(), steps_, i);
  }
  return log_p;
}

void Writing::keep(std::span<const int32_t> rows) {
  std::vector<int32_t> all(static_cast<size_t>(rows_));
  std::iota(all.begin(), all.end(), 0);
  if (std::ranges::equal(rows, all)) return;
  state_ = state_.select(rows);
  rows_ = static_cast<int64_t>(rows.size());
}

std::vector<Decoded> write(const char* who, const Autoregressive& model, DecoderState state,
                           const Ids& previous, const Limits& limits, const Choose& choose) {
  Writing writing(who, model, std::move(state), previous, limits);
  const auto batch = static_cast<size_t>(previous.size());
  std::vector<Decoded> answers(batch);
  std::vector<std::vector<real>> weights(batch);
  Running running{.rows = std::vector<int32_t>(batch),
                  .previous = {previous.values().begin(), previous.values().end()}};
  std::iota(running.rows.begin(), running.rows.end(), 0);

  while (writing.steps() < limits.max_length && !running.rows.empty()) {
    const Writing::Next next = writing.step(running.previous);
    for (size_t i = 0; i < running.rows.size(); ++i) {
      const auto b = static_cast<size_t>(running.rows[i]);
      Decoded& answer = answers[b];
      if (answer.ended) continue;  // the row is fed its end until it is dropped
      const std::span<const real> log_p = writing.row(next, i);
      const int32_t token = choose(b, log_p);
      const real chosen = log_p[static_cast<size_t>(token)];
      if (chosen == impossible) {
        fail("{}: no token has a probability at step {} of row {}", who, writing.steps(), b);
      }
      running.previous[i] = token;
      answer.log_probability += chosen;
      answer.ended = token == limits.end;
      if (answer.ended) continue;
      answer.tokens.push_back(token);
      if (!next.weights.defined()) continue;
      const auto slots = static_cast<size_t>(writing.slots());
      const std::span<const real> w = next.weights.values().subspan(i * slots, slots);
      weights[b].insert(weights[b].end(), w.begin(), w.end());
    }
    shrink(running, writing, answers);
  }
  for (size_t b = 0; b < batch; ++b) {
    answers[b].score = answers[b].log_probability;
    if (writing.slots() < 0) continue;
    const auto length = static_cast<int64_t>(answers[b].tokens.size());
    answers[b].weights = Tensor::from({length, writing.slots()}, weights[b]);
  }
  return answers;
}

Ids bos_of(const Ids& source) {
  const int64_t batch = source.shape()[0];
  return {{batch}, std::vector<int32_t>(static_cast<size_t>(batch), tokens::bos)};
}

}  // namespace heed::inline HEED_PRECISION
