#include "examples/support/recall.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "autograd/error.hpp"

namespace heed::examples {

namespace {

// first, first + 1, ... in random order.
Tokens shuffled(int64_t count, int32_t first, Rng& rng) {
  Tokens list(static_cast<size_t>(count));
  std::iota(list.begin(), list.end(), first);
  shuffle(list, rng);
  return list;
}

// One memory and its question.
struct Drawn {
  std::vector<std::pair<int32_t, int32_t>> facts;
  int32_t question = 0, answer = 0, steps = 0;
};

Drawn draw_memory(int64_t items, Rng& rng) {
  const Tokens keys = shuffled(recall_keys, 1, rng);
  const Tokens values = shuffled(recall_values, 1 + recall_keys, rng);
  const auto asked = size_t(rng.integer(items));
  std::vector<std::pair<int32_t, int32_t>> told;
  Drawn drawn;
  size_t key = 0;
  for (size_t i = 0; i < size_t(items); ++i) {
    const auto steps = int32_t(1 + rng.integer(2));
    if (i == asked) {
      drawn.question = keys[key];
      drawn.answer = values[i] - int32_t(1 + recall_keys);
      drawn.steps = steps;
    }
    if (steps == 2) told.emplace_back(keys[key], keys[key + 1]);
    key += size_t(steps);
    told.emplace_back(keys[key - 1], values[i]);
  }
  for (const int32_t i : shuffled(int64_t(told.size()), 0, rng)) drawn.facts.push_back(told[size_t(i)]);
  return drawn;
}

// What one stream is made of; tokens and targets are its row.
class Teller {
 public:
  Teller(const StreamTask& task, std::span<int32_t> tokens, std::span<int32_t> targets, Rng& rng)
      : task_(task), tokens_(tokens), targets_(targets), unheard_(shuffled(task.keys, 0, rng)) {
    while (at_ < tokens_.size()) {
      const bool ask = !heard_.empty() && (unheard_.empty() || rng.integer(3) > 0);
      if (ask)
        question(heard_[size_t(rng.integer(int64_t(heard_.size())))]);
      else
        fact(int32_t(rng.integer(task_.values)));
    }
  }

 private:
  void say(int64_t token, int32_t target = -1) {
    if (at_ == tokens_.size()) return;  // the end cuts off what is being said
    tokens_[at_] = int32_t(token);
    targets_[at_++] = target;
  }
  void fact(int32_t value) {
    const int32_t key = unheard_.back();
    unheard_.pop_back();
    heard_.emplace_back(key, value);
    if (task_.one_symbol) {
      say(task_.keys + task_.values + key * task_.values + value);
    } else {
      say(key);
      say(task_.keys + value);
    }
  }
  void question(std::pair<int32_t, int32_t> about) {
    const auto answer = int32_t(task_.keys) + about.second;
    say(about.first, answer);
    say(answer);
  }

  const StreamTask& task_;
  std::span<int32_t> tokens_, targets_;
  size_t at_ = 0;
  Tokens unheard_;
  std::vector<std::pair<int32_t, int32_t>> heard_;
};

}  // namespace

Facts Facts::select(std::span<const int32_t> rows) const {
  Facts some{keys.select(rows), values.select(rows), {}, question.select(rows), answer.select(rows), {}};
  for (const int32_t row : rows) {
    some.lengths.push_back(lengths[size_t(row)]);
    some.steps.push_back(steps[size_t(row)]);
  }
  return some;
}

Ids Facts::sentences() const {
  Ids both({keys.shape()[0], keys.shape()[1], 2});
  for (int64_t i = 0; i < keys.size(); ++i) {
    both.values()[size_t(2 * i)] = keys[i];
    both.values()[size_t(2 * i + 1)] = values[i];
  }
  return both;
}

Facts draw_facts(int64_t batch, Lengths items, Rng& rng) {
  if (items.shortest < 1 || items.longest < items.shortest || 2 * items.longest > recall_keys)
    fail("draw_facts: {} to {} items, expected 1 to {}", items.shortest, items.longest, recall_keys / 2);
  std::vector<Drawn> all;
  size_t most = 0;
  for (int64_t b = 0; b < batch; ++b) {
    all.push_back(draw_memory(items.shortest + rng.integer(items.longest - items.shortest + 1), rng));
    most = std::max(most, all.back().facts.size());
  }
  const Shape slots{batch, int64_t(most), 1};
  Facts facts{Ids(slots), Ids(slots), {}, Ids({batch, 1}), Ids({batch}), {}};
  for (size_t b = 0; b < all.size(); ++b) {
    for (size_t s = 0; s < all[b].facts.size(); ++s) {
      facts.keys.values()[b * most + s] = all[b].facts[s].first;
      facts.values.values()[b * most + s] = all[b].facts[s].second;
    }
    facts.lengths.push_back(int32_t(all[b].facts.size()));
    facts.question.values()[b] = all[b].question;
    facts.answer.values()[b] = all[b].answer;
    facts.steps.push_back(all[b].steps);
  }
  return facts;
}

Ids recall_candidates() {
  Ids candidates({recall_values, 1});
  std::iota(candidates.values().begin(), candidates.values().end(), int32_t(1 + recall_keys));
  return candidates;
}

FactStream draw_stream(int64_t batch, const StreamTask& task, Rng& rng) {
  FactStream stream{Ids({batch, task.length}), Ids({batch, task.length})};
  for (int64_t b = 0; b < batch; ++b) {
    const auto row = [&](Ids& ids) {
      return ids.values().subspan(size_t(b * task.length), size_t(task.length));
    };
    Teller(task, row(stream.tokens), row(stream.targets), rng);
  }
  return stream;
}

}  // namespace heed::examples
