#include "autograd/graph.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "autograd/error.hpp"
#include "autograd/simd.hpp"

namespace heed::inline HEED_PRECISION {

namespace {

constinit thread_local bool recording = true;
constinit thread_local bool checking = false;
constinit thread_local uint64_t created = 0;

// A parameter: its gradient stays, nothing lies behind it.
class Leaf final : public Node {
 public:
  explicit Leaf(int64_t size) : Node("parameter", size, sizeof(Leaf)) {}
  void run(Gradients& /*g*/) override {}
  void drop() noexcept override {}
};

// Where the first NaN or infinity stands: "nan at element 3 of 10"; "" when all are finite.
std::string first_anomaly(std::span<const real> values, bool minus_infinity_is_fine = false) {
  for (size_t i = 0; i < values.size(); ++i) {
    const real v = values[i];
    if (std::isfinite(v) || (minus_infinity_is_fine && v < 0)) continue;
    return fmt::format("{} at element {} of {}",
                       std::isnan(v) ? "nan"
                       : v < 0       ? "-inf"
                                     : "inf",
                       i, values.size());
  }
  return "";
}

}  // namespace

// ---- nodes and their lifetime

Node::Node(const char* name, int64_t size, size_t bytes) noexcept
    : number_(++created), name_(name), size_(size), bytes_(static_cast<uint32_t>(bytes)) {}

// Adds the gradient of this walk to what earlier walks left.
void Node::keep() {
  if (!kept_) kept_ = Buffer::zeros(size_);
  real* sum = kept_.mutable_data();
  for (int64_t i = 0; i < size_; ++i) sum[i] += grad_.data()[i];
}

NodePtr::NodePtr(const NodePtr& other) noexcept : node_(other.node_) {
  if (node_ != nullptr) ++node_->references_;
}

// A node that dies lets go of its inputs, which may die in turn: through a list, not by recursion, so that a
// graph may be 100,000 ops deep.
void NodePtr::release(Node* node) noexcept {
  if (--node->references_ != 0) return;
  constinit static thread_local Node* dying = nullptr;
  constinit static thread_local bool destroying = false;
  node->next_ = std::exchange(dying, node);
  if (std::exchange(destroying, true)) return;
  while (dying != nullptr) {
    Node* dead = std::exchange(dying, dying->next_);
    for (uint32_t i = 0; i < dead->inputs_; ++i) dead->edges_[i].~NodePtr();
    const size_t bytes = dead->bytes_;
    dead->~Node();
    pool_free(dead, bytes);
  }
  destroying = false;
}

Tensor& Tensor::requires_grad() {
  if (node_) {
    if (!node_->leaf()) fail("requires_grad: this tensor was computed by {}; detach it first", node_->name());
    return *this;
  }
  if (!defined()) fail("requires_grad: an undefined tensor has no gradient");
  node_ = NodePtr(::new (pool_allocate(sizeof(Leaf))) Leaf(size()));
  return *this;
}

Tensor& Tensor::retain_grad() {
  if (!node_) fail("retain_grad: nobody wants a gradient of this tensor of shape {}", shape_.text());
  node_->keep_grad_ = true;
  return *this;
}

// ---- recording

bool Graph::wants(std::span<const Tensor* const> inputs) {
  return recording &&
         std::any_of(inputs.begin(), inputs.end(), [](const Tensor* x) { return x->needs_grad(); });
}

void Graph::connect(Node& node, NodePtr* memory, std::span<const Tensor* const> inputs) {
  node.edges_ = memory;
  for (const Tensor* x : inputs) ::new (static_cast<void*>(memory++)) NodePtr(x->node());
  node.inputs_ = static_cast<uint32_t>(inputs.size());
}

bool Graph::anomaly() { return checking; }

void Graph::check_finite(const char* op, const Tensor& y, std::span<const Tensor* const> inputs) {
  // A hidden slot's log-probability is minus infinity by definition; log_softmax itself checks the seen ones.
  const std::string made = first_anomaly(y.values(), std::string_view(op) == "log_softmax");
  if (made.empty()) return;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string had = inputs[i]->defined() ? first_anomaly(inputs[i]->values()) : "";
    if (!had.empty()) fail("anomaly: {} made {}; its input {} already has {}", op, made, i + 1, had);
  }
  fail("anomaly: {} made {}", op, made);
}

namespace {

// Ops that pick elements of their inputs read no more than they write.
bool picks(std::string_view op) {
  return op == "embedding" || op == "gather" || op == "select_rows" || op == "slice";
}

}  // namespace

void Graph::profile(const char* op, const Tensor& y, std::span<const Tensor* const> inputs) {
  int64_t numbers = y.size();
  for (const Tensor* x : inputs)
    if (x->defined()) numbers += picks(op) ? y.size() : x->size();
  Profiling::end(op, false, numbers, precision());
}

void Graph::run_timed(Node& node, Gradients& g) {
  Profiling::begin();
  node.run(g);
  int64_t numbers = node.size_;
  for (uint32_t i = 0; i < node.inputs_; ++i)
    if (const NodePtr& x = node.edges_[i]) numbers += picks(node.name_) ? node.size_ : x->size_;
  Profiling::end(node.name_, true, numbers, precision());
}

NoGrad::NoGrad() : before_(std::exchange(recording, false)) {}
NoGrad::~NoGrad() { recording = before_; }
bool grad_enabled() { return recording; }

Anomaly::Anomaly() : before_(std::exchange(checking, true)) {}
Anomaly::~Anomaly() { checking = before_; }

// ---- the walk back

const real* Gradients::output() const { return node_.grad_.data(); }

real* Gradients::input(int i) {
  const NodePtr& x = node_.edges_[i];
  if (!x) return nullptr;
  if (!x->grad_) x->grad_ = Buffer::zeros(x->size_);
  return x->grad_.mutable_data();
}

bool Gradients::wants(int i) const { return static_cast<bool>(node_.edges_[i]); }

Gradients::Sum Gradients::sum(int i) {
  const NodePtr& x = node_.edges_[i];
  if (!x) return {nullptr, false};
  const bool fresh = !x->grad_;
  if (fresh) x->grad_ = Buffer(x->size_);
  return {x->grad_.mutable_data(), fresh};
}

void Saved::fail_overwritten() {
  fail(
      "backward: a value that it needs was overwritten after the op that saved it (a parameter step between "
      "forward and backward?)");
}

namespace {

// The reachable nodes whose backward has not run, the youngest on top. A node enters once.
template <class Number>
class Queue {
 public:
  explicit Queue(Number number) : number_(number) {}
  [[nodiscard]] bool empty() const { return nodes_.empty(); }
  void push(NodePtr node) {
    nodes_.push_back(std::move(node));
    std::push_heap(nodes_.begin(), nodes_.end(), older());
  }
  NodePtr pop() {
    std::pop_heap(nodes_.begin(), nodes_.end(), older());
    NodePtr top = std::move(nodes_.back());
    nodes_.pop_back();
    return top;
  }

 private:
  auto older() const {
    return [this](const NodePtr& a, const NodePtr& b) { return number_(a) < number_(b); };
  }
  Number number_;
  PoolVector<NodePtr> nodes_;
};

}  // namespace

// Creation order is a topological order: every consumer of a tensor is younger than the tensor, so when a
// node comes to the top of the queue, its gradient is complete.
void Graph::backward(const Tensor& loss, bool keep_graph) {
  Queue queue([](const NodePtr& node) { return node->number_; });
  const auto forget = [](Node& node) {
    node.queued_ = false;
    if (!node.leaf()) node.grad_ = Buffer();
  };
  const auto walk = [&](Node& node) {
    if (node.failed_) {
      fail(
          "backward: an earlier backward of this {} failed, after it had freed a part of the graph; compute "
          "it anew",
          node.name_);
    }
    if (node.freed_) {
      fail("backward: the graph behind {} was freed by an earlier backward; ask that one for keep_graph",
           node.name_);
    }
    Gradients g(node);
    if (node.grad_) Profiling::on ? run_timed(node, g) : node.run(g);
    if (node.keep_grad_ && node.grad_) node.keep();
    for (uint32_t i = 0; i < node.inputs_; ++i) {
      NodePtr& x = node.edges_[i];
      if (!x) continue;
      if (checking && x->grad_) {
        const std::string made = first_anomaly({x->grad_.data(), static_cast<size_t>(x->size_)});
        if (!made.empty()) fail("anomaly: the backward of {} made {}", node.name_, made);
      }
      if (!x->leaf() && !std::exchange(x->queued_, true)) queue.push(x);
    }
    if (!keep_graph) {
      node.freed_ = true;
      node.drop();
      for (uint32_t i = 0; i < node.inputs_; ++i) node.edges_[i] = NodePtr();
    }
  };

  Node& root = *loss.node().get();
  if (!root.grad_) root.grad_ = Buffer::zeros(1);
  root.grad_.mutable_data()[0] += 1;
  if (root.leaf()) return;
  root.queued_ = true;
  queue.push(loss.node());
  NodePtr node;
  try {
    while (!queue.empty()) {
      node = queue.pop();
      walk(*node.get());
      forget(*node.get());
    }
  } catch (...) {  // leave no half-made gradient behind
    forget(*node.get());
    for (uint32_t i = 0; i < node->inputs_; ++i) {
      if (node->edges_[i]) forget(*node->edges_[i].get());
    }
    while (!queue.empty()) forget(*queue.pop().get());
    root.failed_ = root.freed_;
    throw;
  }
}

void backward(const Tensor& loss, Backward options) {
  if (!loss.defined() || loss.size() != 1) {
    fail("backward: a loss is one number, this tensor has shape {}", loss.shape().text());
  }
  if (!loss.needs_grad()) fail("backward: nothing behind this loss wants a gradient");
  const Timed timed("backward");
  Graph::backward(loss, options.keep_graph);
}

}  // namespace heed::inline HEED_PRECISION
