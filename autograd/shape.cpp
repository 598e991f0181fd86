#include "autograd/shape.hpp"

#include <algorithm>

#include "autograd/error.hpp"

namespace heed {

Shape::Shape(std::span<const int64_t> sizes) {
  if (sizes.size() > max_rank) fail("shape: rank {} is above the largest, {}", sizes.size(), max_rank);
  for (const int64_t size : sizes) {
    if (size < 0) fail("shape: size {} of axis {} is negative", size, rank_);
    sizes_[rank_++] = size;
  }
  check_product();
}

// Bytes have to be countable too: 2^58 elements of 8 bytes leave room for headers and rounding. Sizes of 0
// are passed over, so that outer() and inner() cannot overflow either.
void Shape::check_product() const {
  constexpr int64_t most = int64_t{1} << 58;
  int64_t n = 1;
  for (int i = 0; i < rank_; ++i) {
    if (sizes_[i] > most / n) fail("shape {}: more elements than fit into memory", text());
    n *= std::max<int64_t>(sizes_[i], 1);
  }
}

int64_t Shape::size() const {
  int64_t n = 1;
  for (int i = 0; i < rank_; ++i) n *= sizes_[i];
  return n;
}

int Shape::axis(int axis) const {
  const int counted = axis < 0 ? axis + rank_ : axis;
  if (counted < 0 || counted >= rank_) fail("axis {} of shape {}: out of range", axis, text());
  return counted;
}

int64_t Shape::outer(int axis) const {
  int64_t n = 1;
  for (int i = 0, end = this->axis(axis); i < end; ++i) n *= sizes_[i];
  return n;
}

int64_t Shape::inner(int axis) const {
  int64_t n = 1;
  for (int i = this->axis(axis) + 1; i < rank_; ++i) n *= sizes_[i];
  return n;
}

Shape Shape::with(int axis, int64_t size) const {
  Shape result = *this;
  if (size < 0) fail("shape: size {} of axis {} is negative", size, axis);
  result.sizes_[this->axis(axis)] = size;
  result.check_product();
  return result;
}

Shape Shape::without(int axis) const {
  Shape result = *this;
  const int removed = this->axis(axis);
  std::copy(sizes_ + removed + 1, sizes_ + rank_, result.sizes_ + removed);
  result.sizes_[--result.rank_] = 0;
  return result;
}

Shape Shape::insert(int axis, int64_t size) const {
  const int at = axis < 0 ? axis + rank_ + 1 : axis;
  if (at < 0 || at > rank_) fail("axis {} to insert into shape {}: out of range", axis, text());
  if (size < 0) fail("shape: size {} to insert is negative", size);
  if (rank_ == max_rank) fail("shape: {} has the largest rank, {}, already", text(), max_rank);
  Shape result = *this;
  std::copy_backward(sizes_ + at, sizes_ + rank_, result.sizes_ + rank_ + 1);
  result.sizes_[at] = size;
  ++result.rank_;
  result.check_product();
  return result;
}

std::string Shape::text() const { return fmt::format("({})", fmt::join(sizes(), ", ")); }

Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const int rank = std::max(a.rank(), b.rank());
  int64_t sizes[Shape::max_rank];
  for (int i = 0; i < rank; ++i) {
    const int from_right = i - rank;
    const int64_t m = -from_right <= a.rank() ? a[from_right] : 1;
    const int64_t n = -from_right <= b.rank() ? b[from_right] : 1;
    if (m != n && m != 1 && n != 1) fail("{}: shapes {} and {} do not broadcast", op, a.text(), b.text());
    sizes[i] = m == 1 ? n : m;
  }
  return Shape(std::span<const int64_t>(sizes, static_cast<size_t>(rank)));
}

}  // namespace heed
