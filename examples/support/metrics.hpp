#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "examples/support/example.hpp"

namespace heed::examples {

// The least number of insertions, deletions and substitutions that turn a into b (Levenshtein 1966).
int64_t edit_distance(std::span<const int32_t> a, std::span<const int32_t> b);

// How decoded sequences compare with the references. All are fractions of 1.
struct Scores {
  double sequence_accuracy = 0;  // exactly right, from the first symbol to the end
  double token_accuracy = 0;     // positions that hold the reference's symbol, of max(both lengths)
  double token_error_rate = 0;   // sum of edit distances / sum of the references' lengths
  double bleu = 0;               // corpus BLEU-4, see below
};
// Throws unless there are as many outputs as references, and at least one.
Scores score(const std::vector<Tokens>& outputs, const std::vector<Tokens>& references);

// Corpus BLEU-4 without smoothing, one reference each (Papineni et al. 2002):
//   BLEU = min(1, exp(1 - r/c)) (p1 p2 p3 p4)^(1/4)
// with p_n the clipped share of the outputs' n-grams that occur in their reference, r and c the total lengths
// of references and outputs. 0 when some p_n is 0 (or there are no n-grams of that size).
double bleu(const std::vector<Tokens>& outputs, const std::vector<Tokens>& references);

// Alignment error rate 1 - (|A n S| + |A n P|) / (|A| + |S|) (Och & Ney 2003), added up over sequences.
// Here each symbol has one gold link, all sure (S = P), and one predicted link, the arg-max of its weights
// (the first of equals): the rate is then the share of symbols whose strongest slot is not the gold one.
struct AlignmentErrors {
  int64_t links = 0, hits = 0;  // symbols with a gold position, and those whose largest weight lies there

  // `weights` is (gold.size() or more, slots) row by row: the weights of target symbol t over the slots.
  // Symbols whose gold position is negative do not count.
  template <class Real>
  void add(std::span<const Real> weights, int64_t slots, const Tokens& gold) {
    for (size_t t = 0; t < gold.size(); ++t) {
      if (gold[t] < 0) continue;
      const Real* row = weights.data() + int64_t(t) * slots;
      int64_t best = 0;
      for (int64_t s = 1; s < slots; ++s)
        if (row[s] > row[best]) best = s;
      ++links;
      hits += best == gold[t];
    }
  }
  // The same of a model that links nothing.
  void miss(const Tokens& gold) {
    links += std::ranges::count_if(gold, [](int32_t position) { return position >= 0; });
  }
  [[nodiscard]] double rate() const { return links == 0 ? 0 : 1 - double(hits) / double(links); }
};

}  // namespace heed::examples
