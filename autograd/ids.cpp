#include "autograd/ids.hpp"

#include <algorithm>

#include "autograd/error.hpp"

namespace heed {

namespace {

template <class T>
std::shared_ptr<const PoolVector<T>> share(PoolVector<T> list) {
  return std::allocate_shared<const PoolVector<T>>(PoolAllocator<PoolVector<T>>(), std::move(list));
}

}  // namespace

Ids::Ids(Shape shape, std::span<const int32_t> values)
    : shape_(shape), values_(values.begin(), values.end()) {
  if (size() != shape.size())
    fail("ids: {} values for shape {}, which has {}", size(), shape.text(), shape.size());
}

Ids Ids::select(std::span<const int32_t> rows) const {
  if (size() == 0) return *this;
  const int64_t inner = shape_.inner(0);
  Ids selected(shape_.with(0, static_cast<int64_t>(rows.size())));
  auto out = selected.values_.begin();
  for (const int32_t row : rows) {
    if (row < 0 || row >= shape_[0]) fail("ids: row {} is outside [0, {})", row, shape_[0]);
    out = std::copy_n(values_.begin() + row * inner, inner, out);
  }
  return selected;
}

Mask Mask::of_lengths(std::span<const int32_t> lengths) {
  Mask mask;
  mask.lengths_ = share(PoolVector<int32_t>(lengths.begin(), lengths.end()));
  return mask;
}

Mask Mask::of_bytes(int64_t batch, int64_t slots, std::span<const uint8_t> bytes) {
  if (static_cast<int64_t>(bytes.size()) != Shape{batch, slots}.size()) {
    fail("mask: {} bytes for {} rows of {} slots", bytes.size(), batch, slots);
  }
  Mask mask;
  mask.bytes_ = share(PoolVector<uint8_t>(bytes.begin(), bytes.end()));
  return mask;
}

Mask Mask::causal(int64_t offset) const {
  Mask mask = *this;
  mask.causal_ = true;
  mask.offset_ = offset;
  return mask;
}

void Mask::check(const char* op, int64_t batch, int64_t slots) const {
  if (lengths_ && static_cast<int64_t>(lengths_->size()) != batch) {
    fail("{}: the mask has {} lengths for a batch of {}", op, lengths_->size(), batch);
  }
  for (size_t b = 0; lengths_ && b < lengths_->size(); ++b) {
    const int32_t length = (*lengths_)[b];
    if (length < 0 || length > slots) {
      fail("{}: the mask's length {} of row {} is outside [0, {}]", op, length, b, slots);
    }
  }
  if (bytes_ && static_cast<int64_t>(bytes_->size()) != batch * slots) {
    fail("{}: the mask has {} bytes for {} rows of {} slots", op, bytes_->size(), batch, slots);
  }
}

Mask Mask::select(std::span<const int32_t> rows, int64_t slots) const {
  Mask mask = *this;
  if (lengths_) {
    PoolVector<int32_t> lengths;
    for (const int32_t row : rows) lengths.push_back(lengths_->at(static_cast<size_t>(row)));
    mask.lengths_ = share(std::move(lengths));
  }
  if (bytes_) {
    PoolVector<uint8_t> bytes;
    for (const int32_t row : rows) {
      const auto first = bytes_->begin() + row * slots;
      bytes.insert(bytes.end(), first, first + slots);
    }
    mask.bytes_ = share(std::move(bytes));
  }
  return mask;
}

// A length cannot say "hidden, then seen": slots that lengths hide become bytes before new ones follow.
Mask Mask::append(int64_t batch, int64_t slots, int64_t n) const {
  Mask mask = *this;
  if (!lengths_ && !bytes_) return mask;
  PoolVector<uint8_t> bytes;
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t s = 0; s < slots; ++s) {
      const bool within = !lengths_ || s < (*lengths_)[static_cast<size_t>(b)];
      bytes.push_back(within && (!bytes_ || (*bytes_)[static_cast<size_t>(b * slots + s)] != 0) ? 1 : 0);
    }
    bytes.insert(bytes.end(), static_cast<size_t>(n), uint8_t{1});
  }
  mask.lengths_ = nullptr;
  mask.bytes_ = share(std::move(bytes));
  return mask;
}

}  // namespace heed
