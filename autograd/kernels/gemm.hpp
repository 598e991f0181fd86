#pragma once

#include "autograd/kernels/vec.hpp"

namespace heed::kernels {

template <class B>
void gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, Value<B> alpha, const Value<B>* a,
          int64_t lda, const Value<B>* b, int64_t ldb, bool accumulate, Value<B>* c, int64_t ldc) noexcept {
  using T = Value<B>;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      T total = 0;
      for (int64_t p = 0; p < k; ++p) {
        total += (trans_a ? a[p * lda + i] : a[i * lda + p]) * (trans_b ? b[j * ldb + p] : b[p * ldb + j]);
      }
      c[i * ldc + j] = alpha * total + (accumulate ? c[i * ldc + j] : T(0));
    }
  }
}

}  // namespace heed::kernels
