#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/random.hpp"
#include "examples/support/example.hpp"

// Tasks that heed generates, whose gold alignments are therefore known.

namespace heed::examples {

// What a task is: how to draw a pair whose source has `length` symbols, over how many symbols, and the names
// of the symbols. Symbol i has the token `first + i`: the vocabulary's special tokens come before.
struct Task {
  std::string name;
  std::function<Example(int64_t length, Rng& rng)> draw;
  std::vector<std::string> source_symbols, target_symbols;
};

// The target is the source: target symbol i comes from source position i.
Task copy_task(int64_t symbols, int32_t first);

// The target is the source from its end: symbol i comes from position n - 1 - i.
Task reverse_task(int64_t symbols, int32_t first);

// A synthetic translation. Each of `words` source words stands for 0, 1, 2 or 3 target symbols, by a fixed
// random lexicon, and all of these come from the word's position. The marker word `<>`, which gives nothing
// itself, swaps the two blocks of two words that follow: a <> b c d e f  ->  A D E B C F.
Task alignment_task(int64_t words, int32_t first);

// Reserved for evaluation, and drawn from `lengths`, never from what `except` holds; for training likewise.
struct Lengths {
  int64_t shortest = 3, longest = 12;
};
std::vector<Example> generate(const Task& task, int64_t count, Lengths lengths, Rng& rng,
                              const std::vector<Example>& except = {});

}  // namespace heed::examples
