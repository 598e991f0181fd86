#pragma once

#include "autograd/kernels/math.hpp"

// Additive attention (Bahdanau et al. 2014, A.1.2): the tanh layer is never stored, neither forward nor
// backward, where it is computed again: tanh costs less than the memory for (slots x features) of it.

namespace heed::kernels {

template <class B>
HEED_KERNEL void additive(const Value<B>* q, const Value<B>* k, const Value<B>* v, Value<B>* score, int64_t s,
                          int64_t n) noexcept {
  for (int64_t j = 0; j < s; ++j) {
    const Value<B>* key = k + j * n;
    B total(0);
    sweep<B>(n, [&](auto io, int64_t i) {
      total = fused(io.load(v + i), math::tanh(io.load(q + i) + io.load(key + i)), total);
    });
    score[j] = hsum(total);
  }
}

template <class B>
HEED_KERNEL void additive_backward(const Value<B>* q, const Value<B>* k, const Value<B>* v,
                                   const Value<B>* dscore, Value<B>* dq, Value<B>* dk, Value<B>* dv,
                                   int64_t s, int64_t n) noexcept {
  // Features outside, slots inside: dq and dv stay in registers.
  sweep<B>(n, [&](auto io, int64_t i) {
    const B query = io.load(q + i), weight = io.load(v + i);
    B sum_q(0), sum_v(0);
    for (int64_t j = 0; j < s; ++j) {
      if (dscore[j] == 0) continue;
      const B d(dscore[j]);
      const B t = math::tanh(query + io.load(k + j * n + i));
      const B u = d * weight * (B(1) - t * t);
      sum_q += u;
      sum_v = fused(d, t, sum_v);
      if (dk != nullptr) io.store(dk + j * n + i, io.load(dk + j * n + i) + u);
    }
    if (dq != nullptr) io.store(dq + i, io.load(dq + i) + sum_q);
    if (dv != nullptr) io.store(dv + i, io.load(dv + i) + sum_v);
  });
}

}  // namespace heed::kernels
