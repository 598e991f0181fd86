#pragma once

#include <span>
#include <vector>

#include "layers/models/seq2seq.hpp"

namespace heed::inline HEED_PRECISION {

// What a model answers to one source sequence, or how it goes on from one text.
struct Decoded {
  std::vector<int32_t> tokens;  // without bos and eos
  Tensor weights;               // (tokens, S): attention when each was chosen; undefined without
  double log_probability = 0;   // of the tokens, and of eos if it came, by the model itself
  double score = 0;             // by which beam_search ranks it; of all others the log probability
  bool ended = false;           // eos came before max_length
};

// How long an answer may be, what ends it, what it may hold. As it is, that of a language model, which never
// ends and may say everything.
struct Limits {
  int64_t max_length = 0;           // tokens, at least 1
  int32_t end = -1;                 // the token that ends an answer and is no part of it; -1: none does
  std::vector<int32_t> never = {};  // tokens that are never chosen; no other becomes likelier for it
  // (B): the lengths of the sources that the weights of each step look at; with them the weights are kept.
  std::vector<int32_t> lengths = {};
};

// Those of encoder-decoders: answers end with eos and hold neither pad nor bos.
Limits seq2seq_limits(std::span<const int32_t> lengths, int64_t max_length);

// Takes the likeliest token at each step until the end or max_length tokens, without a graph; the first of
// equally likely ones. previous (B): the tokens that `state` has not seen yet, one in each row -> B answers.
// Rows stop one by one; when half of them have, the rest goes on as a smaller batch. Throws on limits that
// the vocabulary does not have, on logits that are NaN, and where no token has a probability.
std::vector<Decoded> greedy(const Autoregressive& model, DecoderState state, const Ids& previous,
                            const Limits& limits);
// The same of an encoder-decoder: source (B, S), lengths (B) -> B answers.
std::vector<Decoded> greedy(const Seq2Seq& model, const Ids& source, std::span<const int32_t> lengths,
                            int64_t max_length);

}  // namespace heed::inline HEED_PRECISION
