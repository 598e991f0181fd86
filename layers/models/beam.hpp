#pragma once

#include <span>
#include <vector>

#include "layers/models/decode.hpp"

namespace heed::inline HEED_PRECISION {

struct BeamOptions {
  int64_t width = 5;            // hypotheses that go on from step to step, of each row
  double length_penalty = 0;    // alpha, at least 0; 0: none
  double coverage_penalty = 0;  // beta, at least 0; 0: none, as where a model keeps no weights
  int64_t n_best = 1;           // answers for each row, at most `width`
};

// What n_best answers of each row score highest, among those that a beam finds (Sutskever et al. 2014,
// section 3.2), with the penalties of GNMT (Wu et al. 2016, eq. 14):
//   score(Y) = log p(Y) / lp(Y) + cp(Y),   lp(Y) = ((5 + |Y|) / 6)^alpha
//   cp(Y) = beta sum_j log min(sum_i a_ij, 1)
// |Y| counts the end, as log p does. a_ij is the weight of token i, the end left out, on slot j of the
// source, within its length. Weights can be exactly 0, so a total below `least_coverage` counts as that much:
// one slot unseen costs much, not all. Answers of max_length tokens count as they are, though nothing ended
// them. At each step the `width` likeliest of all continuations go on, the first of equals; those that end
// leave. The penalties rank what is finished and do not steer the beam.
//
// A row stops when none of its hypotheses can come among its n best any more: log p only falls, lp is at most
// that of max_length, cp at most 0. So stopping loses nothing. Width 1 is greedy. A wider beam can lose what
// greedy finds, where a prefix falls out of it whose continuation is very likely; here the greedy hypothesis
// then goes on as one more row, and the best answer never scores below greedy's.
//
// previous (B) -> for each row its answers, the best first, no two alike; fewer than n_best where it finds no
// more. All hypotheses of all rows are one batch. Throws as greedy does, and on options out of range.
inline constexpr double least_coverage = 1e-6;
std::vector<std::vector<Decoded>> beam_search(const Autoregressive& model, DecoderState state,
                                              const Ids& previous, const Limits& limits,
                                              const BeamOptions& options = {});
// The same of an encoder-decoder: source (B, S), lengths (B).
std::vector<std::vector<Decoded>> beam_search(const Seq2Seq& model, const Ids& source,
                                              std::span<const int32_t> lengths, int64_t max_length,
                                              const BeamOptions& options = {});

}  // namespace heed::inline HEED_PRECISION
