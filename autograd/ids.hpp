#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "autograd/pool.hpp"
#include "autograd/shape.hpp"

namespace heed {

// Whole numbers that have no gradient: tokens, targets, positions. A shape and its int32 values, row-major.
class Ids {
 public:
  Ids() : Ids(Shape{0}) {}
  explicit Ids(Shape shape) : shape_(shape), values_(static_cast<size_t>(shape.size())) {}  // zeros
  Ids(Shape shape, std::span<const int32_t> values);  // throws when the count differs from the shape's size
  Ids(Shape shape, std::initializer_list<int32_t> values)
      : Ids(shape, std::span(values.begin(), values.size())) {}

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(values_.size()); }
  [[nodiscard]] int32_t operator[](int64_t i) const { return values_[static_cast<size_t>(i)]; }
  [[nodiscard]] std::span<const int32_t> values() const { return values_; }
  [[nodiscard]] std::span<int32_t> values() { return values_; }
  // The rows rows[0], rows[1], ... along axis 0; of no values at all: itself. Throws on a row out of range.
  [[nodiscard]] Ids select(std::span<const int32_t> rows) const;

 private:
  Shape shape_;
  PoolVector<int32_t> values_;
};

// Which slots a query may attend to. Structural: what describes the mask is kept, never a (T, S) matrix.
// The default hides nothing. All three conditions hold at once:
//   lengths  slot s of row b is seen if s < lengths[b]                        B numbers, or none
//   bytes    slot s of row b is seen if bytes[b * S + s] != 0                 B*S bytes, or none
//   causal   query t sees slot s if s <= t + offset                           offset = slots before query 0
class Mask {
 public:
  Mask() = default;
  static Mask of_lengths(std::span<const int32_t> lengths);
  static Mask of_lengths(std::initializer_list<int32_t> lengths) {
    return of_lengths(std::span(lengths.begin(), lengths.size()));
  }
  static Mask of_bytes(int64_t batch, int64_t slots,
                       std::span<const uint8_t> bytes);  // throws on another count
  static Mask of_bytes(int64_t batch, int64_t slots, std::initializer_list<uint8_t> bytes) {
    return of_bytes(batch, slots, std::span(bytes.begin(), bytes.size()));
  }

  // This mask that hides the future too: query t sees slot s only if s <= t + offset.
  [[nodiscard]] Mask causal(int64_t offset = 0) const;

  [[nodiscard]] bool everything() const { return !lengths_ && !bytes_ && !causal_; }
  [[nodiscard]] bool is_causal() const { return causal_; }

  // The slots of batch row b that query t may see lie in [0, visible(b, t, S)); among them, those whose
  // byte is set: bytes(b, S) is null when all are.
  [[nodiscard]] int64_t visible(int64_t b, int64_t t, int64_t slots) const {
    int64_t n = slots;
    if (lengths_ && (*lengths_)[static_cast<size_t>(b)] < n) n = (*lengths_)[static_cast<size_t>(b)];
    if (causal_ && t + offset_ + 1 < n) n = t + offset_ + 1;
    return n < 0 ? 0 : n;
  }
  [[nodiscard]] const uint8_t* bytes(int64_t b, int64_t slots) const {
    return bytes_ ? bytes_->data() + b * slots : nullptr;
  }

  // Throws `op: ...` unless the mask fits a batch of B rows of S slots: B lengths in [0, S], B*S bytes.
  void check(const char* op, int64_t batch, int64_t slots) const;

  // The mask of rows[0], rows[1], ... (beams, shrinking batches).
  [[nodiscard]] Mask select(std::span<const int32_t> rows, int64_t slots) const;
  // The mask of a memory that grows from `slots` slots by n that every query sees (but for causal).
  [[nodiscard]] Mask append(int64_t batch, int64_t slots, int64_t n) const;

 private:
  std::shared_ptr<const PoolVector<int32_t>> lengths_;
  std::shared_ptr<const PoolVector<uint8_t>> bytes_;
  bool causal_ = false;
  int64_t offset_ = 0;
};

}  // namespace heed
