#include "tests/support/torch_case.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"

namespace heed::tests {
namespace {

constexpr double tolerance = sizeof(real) == 8 ? 1e-10 : 1e-5;

template <class T>
std::vector<T> all_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<T> values;
  for (T value; stream >> value;) values.push_back(value);
  return values;
}

}  // namespace

TorchCase::TorchCase(const std::string& file, const std::string& name) : name_(file + ": " + name) {
  const std::string path = std::string(HEED_TORCH_FIXTURES) + "/" + file + ".txt";  // meson.build says where
  const std::string prefix = name + "/";
  std::ifstream stream(path);
  if (!stream) fail("{}: cannot be read", path);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(prefix)) continue;
    line.erase(0, prefix.size());
    const size_t space = line.find(' '), colon = line.find(" : ");
    if (colon == std::string::npos) fail("{}: a line without \" : \"", name_);
    const std::vector<int64_t> sizes = all_of<int64_t>(line.substr(space, colon - space));
    Entry entry{.shape = Shape(sizes), .values = all_of<double>(line.substr(colon + 3))};
    const std::string own = line.substr(0, space);
    if (entry.shape.size() != static_cast<int64_t>(entry.values.size())) {
      fail("{}/{}: {} has {} numbers", name_, own, entry.shape.text(), entry.values.size());
    }
    entries_.emplace(own, std::move(entry));
  }
  if (entries_.empty()) fail("{}: no such case", name_);
}

const TorchCase::Entry& TorchCase::read(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail("{} has no {}", name_, name);
  read_.insert(name);
  return found->second;
}

Tensor TorchCase::tensor(const std::string& name) {
  const Entry& entry = read(name);
  Tensor x = Tensor::empty(entry.shape);
  std::transform(entry.values.begin(), entry.values.end(), x.mutable_data(),
                 [](double value) { return static_cast<real>(value); });
  return x;
}

Ids TorchCase::ids(const std::string& name) {
  const Entry& entry = read(name);
  return {entry.shape, std::vector<int32_t>(entry.values.begin(), entry.values.end())};
}

std::string TorchCase::difference(const std::string& name, const Tensor& x) {
  const auto& [shape, expected] = read(name);
  if (!x.defined()) return name + " is undefined\n";
  if (x.shape() != shape) return name + " is " + x.shape().text() + ", with torch " + shape.text() + "\n";
  double largest = 0, worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double off = std::abs(static_cast<double>(x.data()[i]) - expected[i]);
    largest = std::max(largest, std::abs(expected[i]));
    if (off > worst || std::isnan(off)) worst = off;  // and a NaN stays
  }
  if (worst <= tolerance * largest) return "";
  return fmt::format("{} is off by {:.2g} of torch's largest number\n", name, worst / largest);
}

void TorchCase::load(const Module& module) {
  for (NamedParameter& p : named_parameters(module)) {
    const Tensor values = tensor(p.name);
    if (values.shape() != p.tensor.shape()) {
      fail("{}: {} is {}, with torch {}", name_, p.name, p.tensor.shape().text(), values.shape().text());
    }
    p.tensor.assign(values.values());
  }
}

std::string TorchCase::differences(const Module& module, const Named& inputs, const Named& outputs) {
  std::string found;
  Tensor loss = Tensor::scalar(0);
  for (const auto& [name, output] : outputs) {
    found += difference(name, output);
    loss = loss + sum(output * tensor(name + ".projection"));
  }
  backward(loss);
  for (const auto& [name, input] : inputs) found += difference(name + ".grad", input.grad());
  for (const NamedParameter& p : named_parameters(module)) {
    found += difference(p.name + ".grad", p.tensor.grad());
  }
  return found + unread();
}

std::string TorchCase::unread() const {
  std::string names;
  for (const auto& [name, entry] : entries_) {
    if (!read_.contains(name)) names += name + " was not read\n";
  }
  return names;
}

}  // namespace heed::tests
