#include "layers/dropout.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {

Dropout::Dropout(real p) : p(p) {
  if (!(p >= 0 && p < 1)) fail("Dropout: probability {} is outside [0, 1)", p);
}

Tensor Dropout::operator()(const Tensor& x, const Pass& pass) const {
  if (!pass.train || p == 0) return x;
  return dropout(x, p, pass.generator("Dropout"));
}

}  // namespace heed::inline HEED_PRECISION
