#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/random.hpp"
#include "autograd/tensor.hpp"

namespace heed::inline HEED_PRECISION {

class Module;

// How a forward is meant, handed to every layer that needs to know. Evaluation by default; training needs a
// generator for whatever is random (dropout).
struct Pass {
  bool train = false;
  Rng* rng = nullptr;

  // The generator; throws `who: training needs a generator, ...` when there is none.
  [[nodiscard]] Rng& generator(const char* who) const;
};

// What Module::visit tells of its parameters. The names of nested modules join by dots:
// `encoder.weight_ih_l0`.
class Visitor {
 public:
  using Action = std::function<void(const std::string& name, const Tensor& parameter)>;
  explicit Visitor(Action action) : action_(std::move(action)) {}

  void operator()(std::string_view name, const Tensor& parameter) const;  // an undefined one is passed over
  void operator()(std::string_view name, const Module& module) const;     // all of its own, after "name."

 private:
  Action action_;
};

// Parameters and a forward (whose signature is each layer's own). Move-only: a copy would share the numbers
// in silence; clone_from copies them.
class Module {
 public:
  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;
  virtual ~Module() = default;

  // Tells `visitor` each parameter with its name, always in the same order. The ONE list of a module's
  // parameters. A Tensor is a handle, so that visiting suffices to change its numbers.
  virtual void visit(const Visitor& visitor) const = 0;
};

struct NamedParameter {
  std::string name;
  Tensor tensor;
};
// The parameters of a module, each once: of tied ones the first name counts.
std::vector<NamedParameter> named_parameters(const Module& module);
TensorList parameters(const Module& module);
int64_t parameter_count(const Module& module);  // of numbers

// Copies the numbers of `source` into `module`; throws unless both have the same names and shapes.
void clone_from(const Module& module, const Module& source);
// The numbers of a module's parameters, to keep them, and back into the same module (or one made alike).
TensorList copy_parameters(const Module& module);
void set_parameters(const Module& module, const TensorList& values);
// Forgets all gradients.
void zero_grad(const Module& module);

}  // namespace heed::inline HEED_PRECISION
