// F: memory-bound ops, forward as a user calls them, backward as heed's own backward calls its kernels.

#include <memory>

#include "autograd/graph.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops.hpp"
#include "bench/support/numbers.hpp"
#include "bench/support/sizes.hpp"
#include "bench/workloads/workloads.hpp"

namespace bench {

using namespace heed;

namespace {

Tensor matrix() { return leaf({rows, columns}, 1, row_scale).detach(); }

template <class F>
Workload forward(const Tensor& x, F f) {
  Workload work{.run = [=] { f(x); }, .bytes = 2 * 4.0 * double(x.size())};
  const Tensor y = f(x);
  work.check = digest(y.data(), y.size());
  return work;
}

// dx of each row from its dy and from y or x, as the ops have it: the first gradient of a tensor is assigned.
template <class Row>
Workload backward_of(const Tensor& from, Row row) {
  const Tensor dy = leaf(from.shape(), 2).detach();
  Tensor dx = zeros_like(from);
  auto step = [=]() mutable {
    float* to = dx.mutable_data();
    for (int64_t r = 0; r < rows; ++r)
      row(r, from.data() + r * columns, dy.data() + r * columns, to + r * columns);
    return dx;
  };
  Workload work{.run = step, .bytes = 3 * row_bytes};
  work.check = digest(step().data(), dx.size());
  return work;
}

Workload layer_norm_backward() {
  // What the forward keeps for its backward, and the gradients of gamma and beta.
  struct Kept {
    Tensor mean = Tensor::empty({rows}), rstd = Tensor::empty({rows});
    Tensor gamma = Tensor::full({columns}, 1), dgamma = Tensor::zeros({columns}),
           dbeta = Tensor::zeros({columns});
  };
  const auto kept = std::make_shared<Kept>();
  const Tensor x = matrix();
  Tensor y = Tensor::empty({columns});
  float *mean = kept->mean.mutable_data(), *rstd = kept->rstd.mutable_data();
  for (int64_t r = 0; r < rows; ++r) {
    kernels::table<float>().layer_norm(x.data() + r * columns, nullptr, nullptr, 1e-5F, y.mutable_data(),
                                       columns, mean + r, rstd + r);
  }
  return backward_of(x, [kept](int64_t r, const float* from, const float* dy, float* dx) {
    if (r == 0) kept->dgamma = Tensor::zeros({columns}), kept->dbeta = Tensor::zeros({columns});
    kernels::table<float>().layer_norm_backward(from, kept->gamma.data(), dy, kept->mean.data()[r],
                                                kept->rstd.data()[r], false, dx, kept->dgamma.mutable_data(),
                                                kept->dbeta.mutable_data(), columns);
  });
}

Workload softmax_backward() {
  return backward_of(softmax(matrix()), [](int64_t /*r*/, const float* y, const float* dy, float* dx) {
    kernels::table<float>().softmax_backward(y, dy, false, dx, columns);
  });
}

}  // namespace

void add_rows(Workloads& list) {
  const auto line = [] { return leaf({elements}, 1, row_scale).detach(); };
  list.push_back({"F-softmax", [] { return forward(matrix(), [](const Tensor& x) { return softmax(x); }); }});
  list.push_back({"F-tanh", [=] { return forward(line(), [](const Tensor& x) { return tanh(x); }); }});
  list.push_back({"F-exp", [=] { return forward(line(), [](const Tensor& x) { return exp(x); }); }});
  list.push_back({"F-layer-norm", [] {
                    const Tensor gamma = Tensor::full({columns}, 1), beta = Tensor::zeros({columns});
                    return forward(matrix(), [=](const Tensor& x) { return layer_norm(x, gamma, beta); });
                  }});
  list.push_back({"F-softmax-backward", softmax_backward});
  list.push_back({"F-layer-norm-backward", layer_norm_backward});
}

}  // namespace bench
