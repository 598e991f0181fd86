#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "autograd/ids.hpp"
#include "autograd/tensor.hpp"
#include "layers/module.hpp"

namespace heed::tests {

// What PyTorch computed in one case: numbers by name, from a file of tests/fixtures/torch, which
// tools/torch_fixtures.py wrote and describes. Throws Error on a case or a name that is not there, and on a
// line whose sizes and numbers differ.
class TorchCase {
 public:
  TorchCase(const std::string& file, const std::string& name);

  [[nodiscard]] bool has(const std::string& name) const { return entries_.contains(name); }
  // Each of these reads `name`. The numbers as they are; as a constant, rounded to real; as a leaf whose
  // gradient is wanted; as whole numbers.
  const std::vector<double>& numbers(const std::string& name) { return read(name).values; }
  Tensor tensor(const std::string& name);
  Tensor leaf(const std::string& name) { return tensor(name).requires_grad(); }
  Ids ids(const std::string& name);

  // "" when x has the shape and the numbers of `name`, otherwise what differs: b being torch's,
  //   max |x - b| <= tolerance max |b|,   tolerance = 1e-5 in float, 1e-10 in double.
  // Relative to the tensor's largest number, since a small one is a sum whose terms cancelled.
  std::string difference(const std::string& name, const Tensor& x);

  // Gives the module torch's parameters; throws where a name is missing or a shape differs.
  void load(const Module& module);

  using Named = std::vector<std::pair<std::string, Tensor>>;
  // The differences of the outputs and, after a backward through their projections, of the gradients of
  // `inputs` and of all parameters; and every name of the case that was not read, so that nothing that torch
  // has a number for goes unseen. A line each, "" when there is none.
  std::string differences(const Module& module, const Named& inputs, const Named& outputs);
  // That last part alone.
  [[nodiscard]] std::string unread() const;

 private:
  struct Entry {
    Shape shape;
    std::vector<double> values;
  };
  const Entry& read(const std::string& name);

  std::string name_;
  std::map<std::string, Entry> entries_;
  std::set<std::string> read_;
};

}  // namespace heed::tests
