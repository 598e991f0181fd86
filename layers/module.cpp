#include "layers/module.hpp"

#include <algorithm>

#include "autograd/error.hpp"

namespace heed::inline HEED_PRECISION {

Rng& Pass::generator(const char* who) const {
  if (rng == nullptr) fail("{}: training needs a generator, Pass{{.train = true, .rng = &rng}}", who);
  return *rng;
}

void Visitor::operator()(std::string_view name, const Tensor& parameter) const {
  if (parameter.defined()) action_(std::string(name), parameter);
}

void Visitor::operator()(std::string_view name, const Module& module) const {
  module.visit(Visitor([this, prefix = std::string(name) + "."](const std::string& inner, const Tensor& x) {
    action_(prefix + inner, x);
  }));
}

std::vector<NamedParameter> named_parameters(const Module& module) {
  std::vector<NamedParameter> found;
  module.visit(Visitor([&found](const std::string& name, const Tensor& x) {
    const bool seen = std::any_of(found.begin(), found.end(),
                                  [&x](const NamedParameter& p) { return p.tensor.data() == x.data(); });
    if (!seen) found.push_back({name, x});
  }));
  return found;
}

TensorList parameters(const Module& module) {
  TensorList tensors;
  for (NamedParameter& p : named_parameters(module)) tensors.push_back(std::move(p.tensor));
  return tensors;
}

int64_t parameter_count(const Module& module) {
  int64_t count = 0;
  for (const Tensor& x : parameters(module)) count += x.size();
  return count;
}

void clone_from(const Module& module, const Module& source) {
  const std::vector<NamedParameter> to = named_parameters(module);
  const std::vector<NamedParameter> from = named_parameters(source);
  if (to.size() != from.size()) {
    fail("clone_from: the module has {} parameters, the source {}", to.size(), from.size());
  }
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i].name != from[i].name) {
      fail("clone_from: parameter {} is {}, in the source {}", i, to[i].name, from[i].name);
    }
    if (to[i].tensor.shape() != from[i].tensor.shape()) {
      fail("clone_from: {} is {}, in the source {}", to[i].name, to[i].tensor.shape().text(),
           from[i].tensor.shape().text());
    }
  }
  set_parameters(module, parameters(source));
}

TensorList copy_parameters(const Module& module) {
  TensorList values;
  for (const Tensor& x : parameters(module)) values.push_back(x.clone());
  return values;
}

void set_parameters(const Module& module, const TensorList& values) {
  TensorList list = parameters(module);
  for (size_t i = 0; i < list.size(); ++i) list[i].assign(values[i].values());
}

void zero_grad(const Module& module) {
  for (Tensor& x : parameters(module)) x.zero_grad();
}

}  // namespace heed::inline HEED_PRECISION
