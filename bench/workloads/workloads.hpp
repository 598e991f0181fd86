#pragma once

#include <memory>
#include <vector>

#include "autograd/random.hpp"
#include "autograd/tensor.hpp"
#include "bench/support/protocol.hpp"
#include "bench/support/sizes.hpp"
#include "layers/module.hpp"

// The workloads as heed computes them, a file for each group of letters.

namespace bench {

using Workloads = std::vector<Named>;
void add_translation(Workloads& list);     // A, B
void add_language_model(Workloads& list);  // C
void add_attention(Workloads& list);       // D
void add_chain(Workloads& list);           // E
void add_rows(Workloads& list);            // F
void add_products(Workloads& list);        // G
void add_bounds(Workloads& list);          // peak, triad

// Gives every parameter of rank `least_rank` and more the numbers that the twins give it: the k-th of them
// the k-th stream.
void begin_all(const heed::Module& module, int least_rank);

// A leaf of `shape` with the numbers of `stream`.
heed::Tensor leaf(const heed::Shape& shape, int stream, float scale = 1);

// A loss with dL/dy = dy, at no cost in the forward: what y.backward(dy) is in PyTorch.
heed::Tensor with_gradient(const heed::Tensor& y, const heed::Tensor& dy);

// A workload that trains: Training has the model, and a step() that returns its loss.
template <class Training, class Size>
Workload trained(const Size& size) {
  const auto training = std::make_shared<Training>(size, heed::Rng(1));
  Workload work{.run = [training] { training->step(); }, .flop = size.flop()};
  for (int i = 0; i < checked_steps; ++i) work.check = training->step();
  work.parameters = double(parameter_count(training->model));
  return work;
}

}  // namespace bench
