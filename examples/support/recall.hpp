#pragma once

#include <span>
#include <vector>

#include "autograd/ids.hpp"
#include "autograd/random.hpp"
#include "examples/support/tasks.hpp"

// Tasks that ask for what was said before, drawn in batches as they are needed: there are so many different
// ones that what is drawn for a test was not seen in training.

namespace heed::examples {

// Facts key -> value or key -> other key, and a question: a key, to be followed to its value. An item is what
// one can ask for: one fact, key -> value, or two, key -> other key -> value, equally often. All keys and
// values of a memory differ; its facts stand in random order. Words: 0 is pad, then the keys, then the
// values.
struct Facts {
  Ids keys, values;              // (B, S, 1): fact s is keys[s] -> values[s], filled up with pad
  std::vector<int32_t> lengths;  // (B): facts of a row
  Ids question;                  // (B, 1): the first key of an item
  Ids answer;                    // (B): its value, counted from the first value
  std::vector<int32_t> steps;    // (B): facts that lead there, 1 or 2

  [[nodiscard]] Facts select(std::span<const int32_t> rows) const;
  [[nodiscard]] Ids sentences() const;  // (B, S, 2): key and value as the two words of a sentence
};
inline constexpr int64_t recall_keys = 32, recall_values = 16, recall_words = 1 + recall_keys + recall_values;
// `items`: how many a memory holds, both ends included, 1 to 16.
Facts draw_facts(int64_t batch, Lengths items, Rng& rng);
Ids recall_candidates();  // (16, 1): the values

// A stream of facts and of questions for facts that came before, twice as many where there is a choice. What
// follows a question is the fact's value, and that is what a language model can know. Each key comes with one
// random value in all of the stream. As symbols, with `one_symbol`:  c=5 a=2 c? 5 b=7 a? 2  ->  after c? and
// a?, 5 and 2. Without:  c 5 a 2 c 5 b 7 a 2  ->  after the second c and a: each fact takes two symbols,
// which have to be kept together.
struct StreamTask {
  int64_t keys = 12, values = 8, length = 32;
  bool one_symbol = true;
  // The symbols: keys (as question), values, with one_symbol facts.
  [[nodiscard]] int64_t vocabulary() const { return keys + values + (one_symbol ? keys * values : 0); }
};
struct FactStream {
  Ids tokens;   // (B, T)
  Ids targets;  // (B, T): what follows a question; -1 where nobody asks
};
FactStream draw_stream(int64_t batch, const StreamTask& task, Rng& rng);

}  // namespace heed::examples
