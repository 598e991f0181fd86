#include "layers/memory.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {

void Memory::append(const Memory& more) {
  if (!more.keys.defined()) fail("Memory::append: the memory to append is empty");
  more.check("Memory::append", more.batch());
  if (!more.mask.everything()) fail("Memory::append: the new slots have a mask; append what may be seen");
  if (!keys.defined()) {
    *this = more;
    return;
  }
  if (more.batch() != batch()) fail("Memory::append: batch {} onto batch {}", more.batch(), batch());
  mask = mask.append(batch(), slots(), more.slots());
  keys = concat({keys, more.keys}, 1);
  values = concat({values, more.values}, 1);
}

Memory Memory::select(std::span<const int32_t> rows) const {
  if (!keys.defined()) return *this;
  return {select_rows(keys, rows), select_rows(values, rows), mask.select(rows, slots())};
}

void Memory::check(const char* who, int64_t batch) const {
  if (!keys.defined() || !values.defined()) fail("{}: the memory is empty", who);
  if (keys.rank() != 3 || values.rank() != 3 || keys.size(0) != values.size(0) ||
      keys.size(1) != values.size(1)) {
    fail("{}: keys {} and values {} are not (B, S, K) and (B, S, D)", who, keys.shape().text(),
         values.shape().text());
  }
  if (keys.size(0) != batch) fail("{}: a memory of batch {} for a batch of {}", who, keys.size(0), batch);
  if (slots() == 0) fail("{}: a memory of 0 slots", who);
  mask.check(who, batch, slots());
}

}  // namespace heed::inline HEED_PRECISION
