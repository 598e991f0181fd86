#pragma once

#include "autograd/kernels/gemm_micro.hpp"

namespace heed::kernels {

// What the processor can multiply and add at most: 12 chains x = a x + b that never leave their registers,
// as many as a tile of a product has, and enough that none waits for its own last result.
template <class B>
HEED_KERNEL Value<B> multiply_adds(int64_t n, Value<B> a, Value<B> b) noexcept {
  constexpr int kChains = 12;
  const B factor(a), term(b);
  B x[kChains];
  unroll<kChains>([&](auto c) __attribute__((always_inline)) { x[c] = B(Value<B>(c)); });
  for (int64_t i = 0; i < n; i += kChains * int64_t(B::size)) {
    unroll<kChains>([&](auto c) __attribute__((always_inline)) { x[c] = fused(factor, x[c], term); });
  }
  unroll<kChains - 1>([&](auto c) __attribute__((always_inline)) { x[0] += x[c + 1]; });
  return hsum(x[0]);
}

}  // namespace heed::kernels
