#include <cmath>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "autograd/pool.hpp"
#include "autograd/simd.hpp"

namespace heed::inline HEED_PRECISION {

namespace {

// cos and sin of p base^(-2i/E) for the tokens p = first, first + 1, ... and the pairs i of a head.
struct Turns {
  int64_t batch, tokens, heads, pairs;
  PoolVector<real> cos = {}, sin = {};  // (T, E / 2)

  void fill(int64_t first, double base) {
    for (int64_t t = 0; t < tokens; ++t)
      for (int64_t i = 0; i < pairs; ++i) {
        const double angle = double(first + t) * std::pow(base, -double(i) / double(pairs));
        cos.push_back(static_cast<real>(std::cos(angle)));
        sin.push_back(static_cast<real>(std::sin(angle)));
      }
  }

  // y += x, every pair turned; backward: by the opposite angle.
  void turn(const real* x, real* y, bool backward) const {
    parallel_for(batch * tokens, grain(2.0 * double(heads * pairs)), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const real* c = cos.data() + row % tokens * pairs;
        const real* s = sin.data() + row % tokens * pairs;
        for (int64_t h = 0; h < heads; ++h)
          for (int64_t i = 0; i < pairs; ++i) {
            const int64_t at = 2 * ((row * heads + h) * pairs + i);
            const real si = backward ? -s[i] : s[i];
            y[at] += c[i] * x[at] - si * x[at + 1];
            y[at + 1] += si * x[at] + c[i] * x[at + 1];
          }
      }
    });
  }
};

}  // namespace

// A turn is orthogonal: y = R x  =>  dx += R^T dy, the turn by the opposite angle.
Tensor rotary(const Tensor& x, int64_t heads, int64_t first, double base) {
  check_defined("rotary", x);
  if (x.rank() != 3 || heads < 1 || x.size(2) % (2 * heads) != 0) {
    fail("rotary: x {} and {} heads: wants (B, T, H E) with an even E", x.shape().text(), heads);
  }
  if (first < 0 || !(base > 0)) fail("rotary: first {}, base {}: wants at least 0, more than 0", first, base);
  Turns turns{x.size(0), x.size(1), heads, x.size(2) / (2 * heads)};
  turns.fill(first, base);
  Tensor y = Tensor::zeros(x.shape());
  turns.turn(x.data(), y.mutable_data(), false);
  return record("rotary", y, {&x},
                [turns = std::move(turns)](Gradients& g) { turns.turn(g.output(), g.input(0), true); });
}

}  // namespace heed::inline HEED_PRECISION
