#include "layers/models/seq2seq.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {

DecoderState DecoderState::select(std::span<const int32_t> rows) const {
  DecoderState selected{.memories = {},
                        .tensors = {},
                        .past = past.select(rows),
                        .steps = steps,
                        .source = source.select(rows)};
  for (const Memory& memory : memories) selected.memories.push_back(memory.select(rows));
  for (const Tensor& x : tensors) selected.tensors.push_back(select_rows(x, rows));
  return selected;
}

void check_batch(const char* who, const Ids& ids) {
  if (ids.shape().rank() == 2 && ids.size() > 0) return;
  fail("{}: tokens are {}, wants (B, T) with both at least 1", who, ids.shape().text());
}

void check_batch(const char* who, const Ids& source, std::span<const int32_t> lengths) {
  check_batch(who, source);
  check_lengths(who, lengths, source.shape()[0], source.shape()[1]);
}

void check_lengths(const char* who, std::span<const int32_t> lengths, int64_t batch, int64_t most) {
  if (static_cast<int64_t>(lengths.size()) != batch) {
    fail("{}: {} lengths for a source of batch {}", who, lengths.size(), batch);
  }
  for (size_t b = 0; b < lengths.size(); ++b) {
    if (lengths[b] >= 1 && lengths[b] <= most) continue;
    fail("{}: length {} of row {} is outside [1, {}]", who, lengths[b], b, most);
  }
}

}  // namespace heed::inline HEED_PRECISION
