#pragma once

#include <cstring>
#include <initializer_list>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "autograd/storage.hpp"
#include "autograd/tensor.hpp"

namespace heed::inline HEED_PRECISION {

// What an op's backward receives. THE GRADIENT CONTRACT:
//   g.output()   dL/dy, as many reals as the op's output; never null
//   g.input(i)   where to ADD dL/dx_i; null when nobody wants it. Zeroed when it is touched first. An op of
//                one input is recorded only where that one's gradient is wanted: its input(0) is never null.
//   g.sum(i)     the same for a backward that goes through all of dL/dx_i: see Sum
// A backward adds: the same tensor may be input to many ops, or twice to one.
class Gradients {
 public:
  // A gradient that is still to be cleared where it is `fresh`: nobody has added to it, its numbers mean
  // nothing. Every element has to be assigned, or added to by `add`; the next input may be the same tensor,
  // so it is asked for after that. From asking to assigning nothing may throw (take what is Saved before).
  struct Sum {
    real* data;
    bool fresh;
    explicit operator bool() const { return data != nullptr; }
    // Calls f(i, count) for elements begin to end in pieces, each of which f adds to. A fresh one is cleared
    // just before, so that its zeros are still in the nearest cache when f reads them.
    template <class F>
    void add(int64_t begin, int64_t end, F f) const {
      constexpr int64_t piece = 2048;
      if (!fresh) return f(begin, end - begin);
      for (; begin < end; begin += piece) {
        const int64_t count = end - begin < piece ? end - begin : piece;
        std::memset(data + begin, 0, static_cast<size_t>(count) * sizeof(real));
        f(begin, count);
      }
    }
  };

  explicit Gradients(Node& node) : node_(node) {}
  [[nodiscard]] const real* output() const;
  [[nodiscard]] real* input(int i);
  [[nodiscard]] bool wants(int i) const;  // whether input(i) is not null
  [[nodiscard]] Sum sum(int i);

 private:
  Node& node_;
};

// A buffer that a backward needs, with its version at that time; data() throws if it was written to since.
class Saved {
 public:
  Saved() = default;
  Saved(const Tensor& x) : buffer_(x.buffer()), version_(buffer_ ? buffer_.version() : 0) {}  // NOLINT
  Saved(Buffer x) : buffer_(std::move(x)), version_(buffer_.version()) {}                     // NOLINT
  [[nodiscard]] const real* data() const {
    if (buffer_.version() != version_) fail_overwritten();
    return buffer_.data();
  }
  operator const real*() const { return data(); }  // NOLINT
  explicit operator bool() const { return static_cast<bool>(buffer_); }

 private:
  [[noreturn]] static void fail_overwritten();
  Buffer buffer_;
  uint32_t version_ = 0;
};

// A vertex of the graph: one tensor whose gradient is wanted. A leaf (parameter) has no inputs; any other
// holds pointers to its inputs' nodes (never to its own output) and its backward.
class Node {
 public:
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const char* name() const { return name_; }
  [[nodiscard]] bool leaf() const { return inputs_ == 0; }

 protected:
  Node(const char* name, int64_t size, size_t bytes) noexcept;
  virtual ~Node() = default;
  virtual void run(Gradients& g) = 0;  // calls the closure
  virtual void drop() noexcept = 0;    // destroys the closure, and with it what it saved

 private:
  void keep();
  friend class NodePtr;
  friend class Gradients;
  friend class Graph;
  friend class Tensor;

  uint64_t number_;  // of creation: the order in which backward walks, falling
  const char* name_;
  int64_t size_;    // elements of the tensor
  uint32_t bytes_;  // that this node takes in the pool
  uint32_t references_ = 1;
  uint32_t inputs_ = 0;
  bool queued_ = false;  // in the queue of a running backward
  bool freed_ = false;   // backward has walked it and given up what it saved
  bool failed_ = false;  // a backward from here threw on its way, after it had freed a part
  bool keep_grad_ = false;
  NodePtr* edges_ = nullptr;  // inputs_ pointers, null where the input needs no gradient
  Buffer grad_;               // of a leaf: for good; of any other: while a backward runs
  Buffer kept_;               // what retain_grad keeps of it
  Node* next_ = nullptr;      // in the list of nodes to destroy
};

// How the ops and backward() reach the inside of nodes.
class Graph {
 public:
  // Whether ops of this thread record now (see NoGrad), and whether any of `inputs` needs a gradient.
  static bool wants(std::span<const Tensor* const> inputs);
  // Makes the edges of a new node, in the memory behind it.
  static void connect(Node& node, NodePtr* memory, std::span<const Tensor* const> inputs);
  // In anomaly mode: throws when y has a NaN or an infinity, and says so if an input had one already.
  static void check_finite(const char* op, const Tensor& y, std::span<const Tensor* const> inputs);
  static bool anomaly();
  // Tells the profile that an op ended.
  static void profile(const char* op, const Tensor& y, std::span<const Tensor* const> inputs);
  // Runs the node's backward between the profile's clock and its row.
  static void run_timed(Node& node, Gradients& g);
  static void backward(const Tensor& loss, bool keep_graph);
};

namespace detail {

template <class F>
class Op final : public Node {
 public:
  Op(const char* name, int64_t size, size_t bytes, F&& f) : Node(name, size, bytes) {
    ::new (static_cast<void*>(&closure_)) F(std::move(f));
  }
  ~Op() override { drop(); }
  void run(Gradients& g) override { closure()(g); }
  void drop() noexcept override {
    if (!std::exchange(held_, false)) return;
    closure().~F();
  }

 private:
  F& closure() { return *std::launder(reinterpret_cast<F*>(&closure_)); }
  alignas(F) std::byte closure_[sizeof(F)];
  bool held_ = true;
};

}  // namespace detail

// Ends an op: ties `y` to its inputs by the closure `backward(Gradients&)`, unless no gradient is wanted.
// The closure captures the buffers that it needs (as Saved), never y itself (no cycles).
template <class F>
Tensor record(const char* op, Tensor y, std::span<const Tensor* const> inputs, F backward) {
  if (Graph::anomaly()) Graph::check_finite(op, y, inputs);
  if (!Graph::wants(inputs)) {
    if (Profiling::on) Graph::profile(op, y, inputs);
    return y;
  }
  constexpr size_t start =
      (sizeof(detail::Op<F>) + alignof(NodePtr) - 1) / alignof(NodePtr) * alignof(NodePtr);
  const size_t bytes = start + inputs.size() * sizeof(NodePtr);
  void* memory = pool_allocate(bytes);
  auto* node = ::new (memory) detail::Op<F>(op, y.size(), bytes, std::move(backward));
  Graph::connect(*node, reinterpret_cast<NodePtr*>(static_cast<std::byte*>(memory) + start), inputs);
  if (Profiling::on) Graph::profile(op, y, inputs);
  return {y.shape(), y.buffer(), NodePtr(node)};
}
template <class F>
Tensor record(const char* op, Tensor y, std::initializer_list<const Tensor*> inputs, F backward) {
  return record(op, std::move(y), std::span<const Tensor* const>(inputs.begin(), inputs.size()),
                std::move(backward));
}

struct Backward {
  bool keep_graph = false;  // true: leave the graph walkable a second time
};
// dL/dx for every x behind the scalar `loss`, added into the gradients of leaves (and of tensors that
// retain theirs). First order. Frees the graph that it walked unless told otherwise; walking a freed graph
// throws, as does a loss with more than one element or without a graph. After a throw leaves may hold a part
// of their gradients.
void backward(const Tensor& loss, Backward options = {});

// While one lives, ops of this thread record nothing.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};
bool grad_enabled();

// While one lives, every op of this thread checks what it made, forward and backward, and the first NaN or
// infinity throws, naming the op: `anomaly: log made -inf at element 3 of 10`; and the input, if it came in
// by one: `...; its input 1 already has nan at element 0`. Slow; for finding out.
class Anomaly {
 public:
  Anomaly();
  ~Anomaly();
  Anomaly(const Anomaly&) = delete;
  Anomaly& operator=(const Anomaly&) = delete;

 private:
  bool before_;
};

}  // namespace heed::inline HEED_PRECISION
