#pragma once

#include <vector>

#include "autograd/tensor.hpp"

namespace heed::inline HEED_PRECISION {

// `list` without repetitions: tied parameters must not be stepped or clipped twice. Two handles are the same
// when they share their node, or, without one, their memory. Undefined tensors are dropped.
TensorList distinct(const TensorList& list);

// What all optimizers share: the parameters, the learning rate and the walk over those that have a gradient.
//
//   Adam adam{parameters, {.lr = 1e-3}};
//   adam.zero_grad();  backward(loss);  clip_grad_norm(parameters, 1);  adam.step();
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // Moves every parameter that has a gradient; one without keeps its value and its state, as in PyTorch.
  // Writes into the parameters: a backward that still needs their old values throws.
  void step();
  // Forgets all gradients.
  void zero_grad();

  [[nodiscard]] double lr() const { return lr_; }
  void set_lr(double lr);  // throws unless lr >= 0 and finite

  [[nodiscard]] const TensorList& parameters() const { return parameters_; }

 protected:
  // Throws when a parameter needs no gradient.
  Optimizer(const char* name, const TensorList& parameters, double lr);

  // Moves parameter number i, n reals at p, by its gradient g.
  virtual void update(size_t i, real* p, const real* g, int64_t n) = 0;

  // One array of zeros per parameter: a moment, which every step reads and writes.
  [[nodiscard]] std::vector<Buffer> moments();
  // Throws `NAME: OPTION is VALUE, expected EXPECTED` unless `holds`.
  void require(bool holds, const char* option, double value, const char* expected) const;

  TensorList parameters_;

 private:
  const char* name_;
  double lr_ = 0;
  int64_t moments_ = 0;  // of each parameter
};

}  // namespace heed::inline HEED_PRECISION
