#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace heed {

// The sizes of a tensor, outermost axis first: rank 0 (a scalar) to 4. Axes count from 0; a negative axis
// counts from the end, as in NumPy. No product of its sizes overflows: one that would, throws.
class Shape {
 public:
  static constexpr int max_rank = 4;

  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(
      std::span<const int64_t> sizes);  // throws on rank > 4, a negative size, or too many elements

  [[nodiscard]] int rank() const { return rank_; }
  // The size of an axis; throws when there is no such axis.
  [[nodiscard]] int64_t operator[](int axis) const { return sizes_[this->axis(axis)]; }
  // The number of elements: the product of the sizes, 1 for a scalar.
  [[nodiscard]] int64_t size() const;
  [[nodiscard]] std::span<const int64_t> sizes() const { return {sizes_, static_cast<size_t>(rank_)}; }

  // `axis` counted from 0; throws when it is outside [-rank, rank).
  [[nodiscard]] int axis(int axis) const;
  // The number of elements before, and after, an axis: outer * (*this)[axis] * inner = size().
  [[nodiscard]] int64_t outer(int axis) const;
  [[nodiscard]] int64_t inner(int axis) const;
  // This shape with one axis resized, removed or inserted.
  [[nodiscard]] Shape with(int axis, int64_t size) const;
  [[nodiscard]] Shape without(int axis) const;
  [[nodiscard]] Shape insert(int axis, int64_t size) const;

  // "(2, 3)", "()" for a scalar.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  void check_product() const;

  int rank_ = 0;
  int64_t sizes_[max_rank] = {};  // zeros beyond the rank, so that == compares all four
};

// The shape of an elementwise op on a and b by NumPy's rule: align at the right; sizes are equal or one of
// them is 1. Throws `op: shapes ... do not broadcast`.
Shape broadcast(const char* op, const Shape& a, const Shape& b);

}  // namespace heed
