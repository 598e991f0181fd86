#pragma once

#include "autograd/kernels/vec.hpp"

namespace heed::kernels {

// Adam (Kingma & Ba 2015, algorithm 1) with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2).
template <class B>
HEED_KERNEL void adamw(Value<B>* p, const Value<B>* g, Value<B>* m, Value<B>* v, int64_t n, Value<B> b1,
                       Value<B> b2, Value<B> step, Value<B> sqrt_c2, Value<B> eps,
                       Value<B> lr_decay) noexcept {
  using T = Value<B>;
  constexpr T kSmallest = sizeof(T) == 4 ? T(0x1p-126) : T(0x1p-1022);  // normal number
  // Without this the moments of a parameter that gets no gradient stick at a subnormal number, and
  // arithmetic on those is several times slower.
  const auto flush = [](const B& x) { return xsimd::select(xsimd::abs(x) < B(kSmallest), B(0), x); };
  sweep<B>(n, [&](auto io, int64_t i) {
    const B grad = io.load(g + i), old = io.load(p + i);
    const B m1 = flush(fused(B(b1), io.load(m + i), B(1 - b1) * grad));
    const B v1 = flush(fused(B(b2), io.load(v + i), B(1 - b2) * grad * grad));
    const B update = quotient(B(step) * m1, quotient(xsimd::sqrt(v1), B(sqrt_c2)) + B(eps));
    io.store(m + i, m1);
    io.store(v + i, v1);
    io.store(p + i, old * B(1 - lr_decay) - update);
  });
}

}  // namespace heed::kernels
