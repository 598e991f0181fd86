#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "autograd/profile.hpp"
#include "autograd/real.hpp"
#include "autograd/shape.hpp"
#include "autograd/storage.hpp"

namespace heed::inline HEED_PRECISION {

class Node;

// A reference-counted pointer to a node of the graph (graph.hpp). Not atomic: a graph belongs to one thread.
class NodePtr {
 public:
  NodePtr() = default;
  explicit NodePtr(Node* adopted) noexcept : node_(adopted) {}  // takes over one reference
  NodePtr(const NodePtr& other) noexcept;
  NodePtr(NodePtr&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodePtr& operator=(NodePtr other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodePtr() {
    if (node_ != nullptr) release(node_);
  }
  [[nodiscard]] Node* get() const { return node_; }
  Node* operator->() const { return node_; }
  explicit operator bool() const { return node_ != nullptr; }
  friend bool operator==(const NodePtr&, const NodePtr&) = default;

 private:
  static void release(Node* node) noexcept;
  Node* node_ = nullptr;
};

// A dense, contiguous, row-major array of reals of rank 0 to 4, and its place in the graph. Copying a Tensor
// copies a handle: both name the same numbers. Ops make new tensors; only mutable_data() writes in place.
//
// A tensor whose gradient is wanted (requires_grad) carries a node, and so does whatever is computed from it.
// A constant has none.
class Tensor {
 public:
  Tensor() = default;  // no tensor at all: defined() is false

  static Tensor empty(Shape shape);  // uninitialised
  static Tensor zeros(Shape shape);
  static Tensor full(Shape shape, real value);
  static Tensor scalar(real value) { return full({}, value); }
  static Tensor from(Shape shape, std::span<const real> values);  // throws on another count
  static Tensor from(Shape shape, std::initializer_list<real> values) {
    return from(shape, std::span(values.begin(), values.size()));
  }

  [[nodiscard]] bool defined() const { return static_cast<bool>(buffer_); }
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] int rank() const { return shape_.rank(); }
  [[nodiscard]] int64_t size() const { return shape_.size(); }
  [[nodiscard]] int64_t size(int axis) const { return shape_[axis]; }

  // These three throw when the tensor is undefined: never set, or moved from.
  [[nodiscard]] const real* data() const {
    if (!defined()) fail_undefined();
    return buffer_.data();
  }
  [[nodiscard]] std::span<const real> values() const { return {data(), static_cast<size_t>(size())}; }
  // Write access. A backward that still needs the old values will notice and throw.
  [[nodiscard]] real* mutable_data() {
    if (!defined()) fail_undefined();
    return buffer_.mutable_data();
  }
  // The only element; throws when there are more.
  [[nodiscard]] real item() const;
  // Copies `values` in; throws on another count.
  void assign(std::span<const real> values);

  // The same numbers in another shape of the same size, sharing memory and node. One size may be -1.
  [[nodiscard]] Tensor reshape(Shape shape) const;
  [[nodiscard]] Tensor reshape(std::initializer_list<int64_t> sizes) const;
  // The same numbers without a graph behind them.
  [[nodiscard]] Tensor detach() const;
  // A copy of the numbers, without a graph.
  [[nodiscard]] Tensor clone() const;

  // Makes this a leaf whose gradient is wanted: a parameter. Throws when it was computed from others.
  Tensor& requires_grad();
  [[nodiscard]] bool needs_grad() const { return static_cast<bool>(node_); }
  // Keeps the gradient of an inner tensor after backward, for looking at.
  Tensor& retain_grad();
  // The gradient that backward left; an undefined tensor before the first.
  [[nodiscard]] Tensor grad() const;
  // Forgets the gradient.
  void zero_grad();

  // What the engine itself works with.
  [[nodiscard]] const Buffer& buffer() const { return buffer_; }
  [[nodiscard]] const NodePtr& node() const { return node_; }
  Tensor(Shape shape, Buffer buffer, NodePtr node = {})
      : shape_(shape), buffer_(std::move(buffer)), node_(std::move(node)) {}

 private:
  [[noreturn]] static void fail_undefined();
  Shape shape_;
  Buffer buffer_;
  NodePtr node_;
};

// A list of tensors on the pool: a training step that makes some asks the system for no memory.
using TensorList = PoolVector<Tensor>;

// Throws `op: tensor 1 of 2 is undefined ...` unless all are defined: what an op asks first, and so where its
// clock starts in a profile.
[[noreturn]] void fail_undefined(const char* op, std::initializer_list<const Tensor*> tensors);
template <class... T>
void check_defined(const char* op, const T&... tensors) {
  if (Profiling::on) Profiling::begin();
  if (!(tensors.defined() && ...)) fail_undefined(op, {&tensors...});
}

Tensor empty_like(const Tensor& x);
Tensor zeros_like(const Tensor& x);

}  // namespace heed::inline HEED_PRECISION
