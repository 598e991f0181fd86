#pragma once

#include <cmath>
#include <cstdint>

// The same numbers in every engine: weights, inputs, tokens are functions of (stream, i), not of a
// generator's state; and one number that tells whether two engines computed the same.

namespace bench {

// 32 well mixed bits (Steele et al. 2014, the finalizer of SplitMix64).
inline uint32_t bits(uint64_t stream, uint64_t i) {
  uint64_t z = (stream << 40) + i * 0x9e3779b97f4a7c15U + 0x632be59bd9b4e019U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return static_cast<uint32_t>((z ^ (z >> 31)) >> 32);
}

// Uniform in [-1, 1), exact in a float.
inline float number(uint64_t stream, uint64_t i) {
  return static_cast<float>(static_cast<int32_t>(bits(stream, i)) >> 8) / 8388608.0F;
}

inline void fill(float* x, int64_t n, uint64_t stream, float scale) {
  for (int64_t i = 0; i < n; ++i) x[i] = scale * number(stream, static_cast<uint64_t>(i));
}

inline int32_t token(uint64_t stream, uint64_t i, int32_t vocabulary) {
  return static_cast<int32_t>(bits(stream, i) % static_cast<uint32_t>(vocabulary));
}

// A parameter's numbers: uniform to 1/sqrt(its last size), each parameter a stream of its own.
inline void begin(float* x, int64_t n, int64_t last, uint64_t parameter) {
  fill(x, n, 100 + parameter, 1 / std::sqrt(static_cast<float>(last)));
}

// A mean of |x_i| with a weight for each place: rounding hardly moves it, a number in another place does.
inline double digest(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i)
    sum += std::abs(double(x[i])) * (1 + 0.5 * double(number(99, static_cast<uint64_t>(i))));
  return sum / double(n);
}

}  // namespace bench
