#pragma once

#include <span>
#include <vector>

#include "autograd/random.hpp"
#include "layers/models/decode.hpp"

namespace heed::inline HEED_PRECISION {

struct SampleOptions {
  double temperature = 1;  // above 0; the lower, the more often the likeliest comes
  int64_t top_k = 0;       // draws among so many of the likeliest, ties by index; 0: among all
  double top_p = 1;        // and among the fewest of these that have so large a share of their sum, (0, 1]
};

// Draws each token from softmax(logits / temperature), restricted first to the top_k likeliest (Fan et al.
// 2018, on generation), then to the smallest set of the likeliest whose probability, renormalized, reaches
// top_p (the nucleus: Holtzman et al. 2020, eq. 2 and 3). log_probability is that of the model itself,
// neither restricted nor at a temperature. Each row has a generator of its own, split from one draw of `rng`:
// what it says does not depend on the others. Several answers to one source: repeat the row
// (DecoderState::select). previous (B) -> B answers. Throws as greedy does, and on options out of range.
// Not to be taken for `sample` (autograd/ops.hpp), which draws one index.
std::vector<Decoded> sample_answers(const Autoregressive& model, DecoderState state, const Ids& previous,
                                    const Limits& limits, const SampleOptions& options, Rng& rng);
// The same of an encoder-decoder: source (B, S), lengths (B).
std::vector<Decoded> sample_answers(const Seq2Seq& model, const Ids& source, std::span<const int32_t> lengths,
                                    int64_t max_length, const SampleOptions& options, Rng& rng);

}  // namespace heed::inline HEED_PRECISION
