#pragma once

#include <span>

#include "autograd/ids.hpp"
#include "autograd/tensor.hpp"

namespace heed::inline HEED_PRECISION {

// What a query attends to: S slots per row, each a key and a value, and which of them may be seen. A scorer
// makes it (Scorer::prepare), so that what depends on the keys alone is computed once. Every model of heed is
// a choice of where its memories come from: an encoder, a decoder's own past, the layer below. `attend`
// (attention.hpp) looks into one, or MultiHeadAttention, which takes the same three lines in one op. Hidden
// slots may hold any finite numbers: they meet weights of 0.
struct Memory {
  Tensor keys;    // (B, S, K), as the scorer prepared them
  Tensor values;  // (B, S, D)
  Mask mask = {};

  [[nodiscard]] int64_t batch() const { return keys.size(0); }
  [[nodiscard]] int64_t slots() const { return keys.defined() ? keys.size(1) : 0; }

  // Grows by the slots of `more`, prepared by the same scorer: decoders, caches. Appended to a Memory without
  // keys it takes its place. Makes new tensors: S slots are copied, about as many numbers as one query's
  // attention reads. Throws when `more` has other sizes, or a mask (append what may be seen).
  void append(const Memory& more);
  // The rows rows[0], rows[1], ... of the batch: beams, shrinking batches.
  [[nodiscard]] Memory select(std::span<const int32_t> rows) const;
  // Throws `who: ...` unless keys, values and mask fit each other and a batch of that size, and there is a
  // slot. (Where all slots are hidden a context is 0; where there is none, who asks is mistaken.)
  void check(const char* who, int64_t batch) const;
};

}  // namespace heed::inline HEED_PRECISION
