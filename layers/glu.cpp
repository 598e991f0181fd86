#include "layers/glu.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {

Tensor glu(const Tensor& x) {
  check_defined("glu", x);
  if (x.rank() < 1 || x.size(-1) % 2 != 0) fail("glu: the last axis of {} has no halves", x.shape().text());
  const int64_t half = x.size(-1) / 2;
  return slice(x, -1, 0, half) * sigmoid(slice(x, -1, half, 2 * half));
}

}  // namespace heed::inline HEED_PRECISION
