#include "optim/clip.hpp"

#include <cmath>

#include "autograd/error.hpp"
#include "autograd/simd.hpp"
#include "optim/optimizer.hpp"

namespace heed::inline HEED_PRECISION {

double clip_grad_norm(const TensorList& parameters, double max_norm) {
  if (!(max_norm > 0)) fail("clip_grad_norm: max_norm is {}, expected a number above 0", max_norm);
  const Timed timed("clip_grad_norm");
  TensorList grads;
  double squares = 0;
  for (const Tensor& p : distinct(parameters)) {
    Tensor grad = p.grad();
    if (!grad.defined()) continue;
    squares += simd().sum_squares(grad.data(), grad.size());
    timed.moves(grad.size() * int64_t(sizeof(real)));
    grads.push_back(std::move(grad));
  }
  const double norm = std::sqrt(squares);
  const double factor = max_norm / (norm + 1e-6);
  if (factor >= 1) return norm;
  for (Tensor& grad : grads) {
    real* g = grad.mutable_data();
    simd().scale(real(factor), g, g, grad.size());
    timed.moves(2 * grad.size() * int64_t(sizeof(real)));
  }
  return norm;
}

void clip_grad_value(const TensorList& parameters, double limit) {
  if (!(limit > 0)) fail("clip_grad_value: limit is {}, expected a number above 0", limit);
  const Timed timed("clip_grad_value");
  const real most = real(limit);
  for (const Tensor& p : distinct(parameters)) {
    Tensor grad = p.grad();
    if (!grad.defined()) continue;
    timed.moves(2 * grad.size() * int64_t(sizeof(real)));
    real* g = grad.mutable_data();
    for (int64_t i = 0; i < grad.size(); ++i) {
      if (g[i] > most) g[i] = most;
      if (g[i] < -most) g[i] = -most;
    }
  }
}

}  // namespace heed::inline HEED_PRECISION
