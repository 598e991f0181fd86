#include "layers/linear.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {

Linear::Linear(int64_t in, int64_t out, Rng& rng, Options options) {
  if (in < 1 || out < 1) fail("Linear: sizes in {}, out {} must be at least 1", in, out);
  weight = fan_in_uniform({out, in}, in, rng);
  if (options.bias) bias = fan_in_uniform({out}, in, rng);
}

Tensor Linear::operator()(const Tensor& x) const { return linear(x, weight, bias); }

void Linear::visit(const Visitor& visitor) const {
  visitor("weight", weight);
  visitor("bias", bias);
}

}  // namespace heed::inline HEED_PRECISION
