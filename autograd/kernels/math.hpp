#pragma once

#include "autograd/kernels/vec.hpp"

// Elementary functions on one register.

namespace heed::kernels::math {

template <class B>
HEED_INLINE B exp(const B& x) noexcept {
  return xsimd::exp(x);
}

template <class B>
HEED_INLINE B log(const B& x) noexcept {
  return xsimd::log(x);
}

template <class B>
HEED_INLINE B log1p(const B& x) noexcept {
  return xsimd::log1p(x);
}

template <class B>
HEED_INLINE B tanh(const B& x) noexcept {
  return xsimd::tanh(x);
}

template <class B>
HEED_INLINE B sigmoid(const B& x) noexcept {
  const B e = math::exp(-xsimd::abs(x));
  return xsimd::select(x >= B(0), B(1), e) / (B(1) + e);
}

template <class B>
HEED_INLINE B erf(const B& x) noexcept {
  return xsimd::erf(x);
}

}  // namespace heed::kernels::math
