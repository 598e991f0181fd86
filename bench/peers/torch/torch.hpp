#pragma once

#include <torch/torch.h>

#include <vector>

#include "bench/support/numbers.hpp"
#include "bench/support/protocol.hpp"

// PyTorch's side of the workloads, as its users write them.

namespace bench {

void add_models(std::vector<Named>& list);  // A, B, C
void add_ops(std::vector<Named>& list);     // D, E, F

inline torch::Tensor filled(at::IntArrayRef shape, int stream, float scale = 1) {
  torch::Tensor x = torch::empty(shape);
  fill(x.data_ptr<float>(), x.numel(), static_cast<uint64_t>(stream), scale);
  return x;
}

inline double digest(const torch::Tensor& x) {
  const torch::Tensor dense = x.detach().contiguous();
  return digest(dense.data_ptr<float>(), dense.numel());
}

}  // namespace bench
