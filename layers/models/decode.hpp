#pragma once

#include <span>
#include <vector>

#include "layers/models/seq2seq.hpp"

namespace heed::inline HEED_PRECISION {

// What a model answers to one source sequence.
struct Decoded {
  std::vector<int32_t> tokens;  // without bos and eos
  Tensor weights;               // (tokens, S): attention when each was chosen; undefined without
  double log_probability = 0;   // of the tokens, and of eos if it came
  bool ended = false;           // eos came before max_length
};

// Takes the likeliest token but pad and bos at each step until eos or max_length tokens, without a graph; the
// first of equally likely ones. source (B, S), lengths (B) -> B answers. Rows stop one by one; when half of
// them have, the rest goes on as a smaller batch.
std::vector<Decoded> greedy(const Seq2Seq& model, const Ids& source, std::span<const int32_t> lengths,
                            int64_t max_length);

}  // namespace heed::inline HEED_PRECISION
