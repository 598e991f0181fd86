#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/random.hpp"
#include "examples/support/example.hpp"

// Tasks that heed generates, whose gold alignments are therefore known.

namespace heed::examples {

// What a task is: how to draw a pair whose source has `length` symbols, over how many symbols, and the names
// of the symbols. Symbol i is the token first_word + i (layers/models/tokens.hpp).
struct Task {
  std::string name;
  std::function<Example(int64_t length, Rng& rng)> draw;
  std::vector<std::string> source_symbols, target_symbols;
};

// The target is the source: target symbol i comes from source position i.
Task copy_task(int64_t symbols);

// The target is the source from its end: symbol i comes from position n - 1 - i.
Task reverse_task(int64_t symbols);

// The target is the source with the two symbols of each pair in the other order, 3 7 1 5 9 -> 7 3 5 1 9; a
// last one without a partner stays.
Task bigram_flip_task(int64_t symbols);

// The target is the source in rising order; of equal symbols the earlier one comes first.
Task sort_task(int64_t symbols);

// The target is the source with each symbol written once, twice or three times, as the source says beside it:
// 3x2 7 7x3 -> 3 3 7 7 7 7. From left to right, so that the alignment never turns back; and how often a
// symbol still comes stands nowhere but in the source: all counts are equally likely for each, and one may
// follow itself.
Task monotone_task(int64_t symbols);

// A walk through a house of `rooms` with `doors` in each: a fixed random table says to which room a door
// leads, and doors lead one way only. The source names the doors that are taken, from room 0 on; the target
// the rooms that are reached, a bar, and the same rooms on the way back. A room on the way there follows from
// the one before and the door (its gold position); on the way back it stands nowhere but in what was written,
// since several rooms lead to the same one: gold positions -1.
Task walk_task(int64_t rooms, int64_t doors);

// A synthetic translation. Each of `words` source words stands for 0, 1, 2 or 3 target symbols, by a fixed
// random lexicon, and all of these come from the word's position. The marker word `<>`, which gives nothing
// itself, swaps the two blocks of two words that follow: a <> b c d e f  ->  A D E B C F.
Task alignment_task(int64_t words);

// Of sources, both ends included.
struct Lengths {
  int64_t shortest, longest;
};
// `count` pairs of uniformly drawn lengths, none with a source that `except` has: draw what is to be unseen
// first, then what is learned from. Throws when too few other sequences of these lengths exist.
std::vector<Example> generate(const Task& task, int64_t count, Lengths lengths, Rng& rng,
                              const std::vector<Example>& except = {});

}  // namespace heed::examples
