#pragma once

#include "autograd/kernels/vec.hpp"

// Elementary functions on one register, without branches, right at infinities, NaN, subnormals and signed
// zeros. Largest errors seen, in units of the last place, in float and double alike:
//
//     exp 1.1    log 0.9    tanh 2.6, in float 4.8    sigmoid 2.4    erf 1.6
//
// (tanh in float: of all arguments; 6.3 without fused multiply-adds.)
//
// The polynomials are minimax fits (Remez exchange in 113-bit arithmetic, coefficients then rounded).

namespace heed::kernels::math {

// ---- numbers and their bits

template <class T>
struct Format;

template <>
struct Format<float> {
  using Unsigned = uint32_t;
  static constexpr int kMantissa = 23, kBias = 127;
  static constexpr float kSmallest = 0x1p-126f;                    // normal number
  static constexpr float kLn2High = 0x1.62e4p-1f;                  // n ln2_high is exact for every exponent n
  static constexpr float kLn2Low = 0x1.7f7d1cp-20f;                // the rest of ln 2
  static constexpr float kExpOverflow = 89, kExpUnderflow = -104;  // beyond: e^x is inf, 0
  static constexpr float kLogSmallest = -87.3365447F;
  static constexpr float kTanhOne = 9.02f;  // beyond: tanh rounds to 1
  static constexpr float kErfOne = 4;       // beyond: erf rounds to 1
};

template <>
struct Format<double> {
  using Unsigned = uint64_t;
  static constexpr int kMantissa = 52, kBias = 1023;
  static constexpr double kSmallest = 0x1p-1022;
  static constexpr double kLn2High = 0x1.62e42feep-1;
  static constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  static constexpr double kExpOverflow = 710, kExpUnderflow = -746;
  static constexpr double kLogSmallest = -708.39641853226408;
  static constexpr double kTanhOne = 19.1;
  static constexpr double kErfOne = 6;
};

template <class B>
using Fmt = Format<Value<B>>;
template <class B>
using Bits = xsimd::batch<typename Fmt<B>::Unsigned, typename B::arch_type>;

template <class B>
inline constexpr bool kIsFloat = sizeof(Value<B>) == sizeof(float);

template <class B>
HEED_INLINE Bits<B> to_bits(const B& x) noexcept {
  return __builtin_bit_cast(Bits<B>, x);
}

template <class B>
HEED_INLINE B from_bits(const Bits<B>& x) noexcept {
  return __builtin_bit_cast(B, x);
}

// a >= 0 with the sign of x
template <class B>
HEED_INLINE B with_sign(const B& a, const B& x) noexcept {
  return a | (x & B(Value<B>(-0.0)));
}

// A NaN passes: with the bound in front, x86's maximum is low > x ? low : x, and NEON's keeps every NaN.
template <class B>
HEED_INLINE B at_least(const B& x, Value<B> low) noexcept {
  return xsimd::max(B(low), x);
}
template <class B>
HEED_INLINE B at_most(const B& x, Value<B> high) noexcept {
  return xsimd::min(B(high), x);
}

// x, kept within the numbers beyond which e^-|x| is 0: an infinity times that 0 would be NaN.
template <class B>
HEED_INLINE B finite(const B& x) noexcept {
  return at_most(at_least(x, Fmt<B>::kExpUnderflow), -Fmt<B>::kExpUnderflow);
}

// c_0 + c_1 x + c_2 x^2 + ... (Horner)
template <class B>
HEED_INLINE B poly(const B&, Value<B> c) noexcept {
  return B(c);
}
template <class B, class... C>
HEED_INLINE B poly(const B& x, Value<B> c, C... rest) noexcept {
  return fused(poly<B>(x, rest...), x, B(c));
}

// ---- powers of two. At 1.5 * 2^mantissa the last place is worth 1: adding that number rounds to an integer,
// which then stands in the low bits.

template <class B>
HEED_INLINE B nearest(const B& x) noexcept {
  const B shift(Value<B>(3ull << (Fmt<B>::kMantissa - 1)));
  return (x + shift) - shift;
}

// 2^n for a whole n in the range of normal exponents
template <class B>
HEED_INLINE B pow2(const B& n) noexcept {
  const B shift(Value<B>((3ull << (Fmt<B>::kMantissa - 1)) + Fmt<B>::kBias));
  return from_bits<B>(to_bits<B>(n + shift) << Fmt<B>::kMantissa);
}

// ---- exp

// x = n ln 2 + r, |r| <= ln(2)/2 and q = e^r - 1, to full relative precision. Gives n.
template <class B>
HEED_INLINE B reduce_exp(const B& x, B& q) noexcept {
  using F = Fmt<B>;
  const B n = nearest(x * B(Value<B>(1.44269504088896340736)));
  const B r = fused(n, B(-F::kLn2Low), fused(n, B(-F::kLn2High), x));
  B p;
  if constexpr (kIsFloat<B>) {
    p = poly(r, 0.49999997f, 0.166665435f, 0.0416672006f, 0.00836654752f, 0.00138825167f);
  } else {
    p = poly(r, 0.50000000000000056, 0.16666666666666588, 0.041666666666576466, 0.008333333333389736,
             0.0013888888931666986, 0.00019841269718704908, 2.4801505142824412e-05, 2.7557407691928653e-06,
             2.7626092787529377e-07, 2.5053773774246067e-08);
  }
  q = fused(r * r, p, r);
  return n;
}

// e^x for x between kExpUnderflow and kExpOverflow
template <class B>
HEED_INLINE B exp_within(const B& x) noexcept {
  using F = Fmt<B>;
  B q;
  const B n = reduce_exp(x, q);
#ifdef __AVX512F__
  if constexpr (sizeof(B) == 64) {  // has an instruction for 2^n y
    if constexpr (kIsFloat<B>) {
      return _mm512_scalef_ps(B(1) + q, n);
    } else {
      return _mm512_scalef_pd(B(1) + q, n);
    }
  }
#endif
  // 2^n in two factors: n may lie beyond the normal exponents, at an overflow or a subnormal result. Adding
  // the number of `pow2` to n/2 rounds it to a whole one too.
  const B shift(Value<B>((3ull << (F::kMantissa - 1)) + F::kBias));
  const B shifted = fused(n, B(Value<B>(0.5)), shift);
  const B scale = from_bits<B>(to_bits<B>(shifted) << F::kMantissa);
  return fused(scale, q, scale) * pow2(n - (shifted - shift));
}

template <class B>
HEED_INLINE B exp(const B& x) noexcept {
  return exp_within(at_least(at_most(x, Fmt<B>::kExpOverflow), Fmt<B>::kExpUnderflow));
}

// e^-a for a >= 0, which cannot overflow
template <class B>
HEED_INLINE B decay(const B& a) noexcept {
  return exp_within(at_least(-a, Fmt<B>::kExpUnderflow));
}

// e^x for x <= 0, as in a softmax, at three quarters of the cost: 0 in place of subnormal results.
template <class B>
HEED_INLINE B exp_of_negative(const B& x) noexcept {
  B q;
  const B n = reduce_exp(x, q);
#ifdef __AVX512F__
  if constexpr (sizeof(B) == 64) {
    if constexpr (kIsFloat<B>) {
      const auto normal = _mm512_cmp_ps_mask(x, B(Fmt<B>::kLogSmallest), _CMP_NLT_UQ);  // NaN passes
      return _mm512_maskz_scalef_ps(normal, B(1) + q, n);
    } else {
      const auto normal = _mm512_cmp_pd_mask(x, B(Fmt<B>::kLogSmallest), _CMP_NLT_UQ);
      return _mm512_maskz_scalef_pd(normal, B(1) + q, n);
    }
  }
#endif
  const B scale = pow2(n);  // anything, for x so low that it is not selected
  return xsimd::select(x < B(Fmt<B>::kLogSmallest), B(0), fused(scale, q, scale));
}

// ---- tanh. In float a quotient of polynomials, x P(x^2) / Q(x^2) with P(0) = Q(0) = 1, which is a third faster
// than by e^2x, never beyond 1, but where it is nearly 1 not always rising. In double, where that would take
// twice the degree,
// tanh = (e^2x - 1) / (e^2x + 1) = u / (u + 2) with u = e^2x - 1, which keeps all digits near 0

template <class B>
HEED_INLINE B tanh(const B& x) noexcept {
  if constexpr (kIsFloat<B>) {
    const B v = at_most(at_least(x, -Fmt<B>::kTanhOne), Fmt<B>::kTanhOne), z = v * v;
    const B p = fused(
        v * z, poly(z, 0.136742771f, 0.00386132277f, 2.78701882e-05f, 3.02727621e-08f, -1.19890703e-11f), v);
    const B q = poly(z, 1.f, 0.470076084f, 0.0272200443f, 0.000392642076f, 1.27800831e-06f);
    return at_most(at_least(quotient(p, q), -1), 1);
  }
  const B v = at_most(xsimd::abs(x), Fmt<B>::kTanhOne);
  B q;
  const B p = pow2(reduce_exp(v + v, q));
  const B u = fused(p, q, p - B(1));
  return with_sign(quotient(u, u + B(2)), x);
}

// ---- sigmoid = 1 / (1 + e^-x) = e^x / (1 + e^x), whichever has the small exponential

template <class B>
HEED_INLINE B sigmoid(const B& x) noexcept {
  const B e = decay(xsimd::abs(x));
  return quotient(xsimd::select(x < B(0), e, B(1)), B(1) + e);
}

// ---- log

// log((1 + f) 2^k), sqrt(1/2) <= 1 + f <= sqrt(2). With s = f / (2 + f):
// log(1 + f) = 2 artanh s = 2s + s^3 (2/3 + 2/5 s^2 + ...), arranged as in Sun's fdlibm so that f, which is
// exact, enters last.
template <class B>
HEED_INLINE B log_reduced(const B& f, const B& k) noexcept {
  using F = Fmt<B>;
  const B s = quotient(f, B(2) + f), z = s * s, half_square = B(Value<B>(0.5)) * f * f;
  B p;
  if constexpr (kIsFloat<B>) {
    p = poly(z, 0.666667759f, 0.399774492f, 0.298744202f);
  } else {
    p = poly(z, 0.66666666666667351, 0.39999999999407482, 0.2857142874414243, 0.22222198378368482,
             0.18183575171263128, 0.1531375560887431, 0.14799067642619954);
  }
  const B tail = fused(s, fused(z, p, half_square), k * B(F::kLn2Low));
  return fused(k, B(F::kLn2High), f - (half_square - tail));
}

template <class B>
HEED_INLINE B log(const B& x) noexcept {
  using T = Value<B>;
  using F = Fmt<B>;
  using U = typename F::Unsigned;
  constexpr int p = F::kMantissa;
  const auto tiny = x < B(F::kSmallest);  // subnormals are scaled up first
  const B v = xsimd::select(tiny, x * B(T(1ull << p)), x);
  // Moving the origin of the bits from 1 to sqrt(1/2) makes the exponent that of the nearest power of two.
  constexpr U kOne = U(F::kBias) << p, kSqrtHalf = __builtin_bit_cast(U, T(0.70710678118654752440));
  const Bits<B> u = to_bits<B>(v) + Bits<B>(kOne - kSqrtHalf);
  const B f = from_bits<B>((u & Bits<B>((U(1) << p) - 1)) + Bits<B>(kSqrtHalf)) - B(1);
  const Bits<B> biased = (u >> p) | Bits<B>(U(F::kBias + p) << p);  // 2^p + exponent + bias, as a number
  const B k = from_bits<B>(biased) -
              xsimd::select(tiny, B(T((1ull << p) + F::kBias + p)), B(T((1ull << p) + F::kBias)));
  B y = log_reduced(f, k);
  const B inf = T(__builtin_inf()), nan = T(__builtin_nan(""));
  y = xsimd::select(x == inf, x, y);
  return xsimd::select(x > B(0), y, xsimd::select(x == B(0), -inf, nan));
}

// log(1 + t) for 0 <= t <= 1
template <class B>
HEED_INLINE B log1p_unit(const B& t) noexcept {
  using T = Value<B>;
  const auto big = t > B(T(0.41421356237309504880));  // 1 + t = 2 (1 + (t - 1)/2)
  const B f = xsimd::select(big, (t - B(1)) * B(T(0.5)), t);
  return log_reduced(f, xsimd::select(big, B(1), B(0)));
}

// ---- erf(x) = x + x P(x^2) for |x| < 1, else 1 - e^-x^2 Q(|x|), with its sign; P and Q minimize the error
// relative to erf. e^-x^2 is handed out too: a Gaussian's density goes with its distribution.

template <class B>
HEED_INLINE B erf_small(const B& x, const B& z) noexcept {
  if constexpr (kIsFloat<B>) {
    return fused(x,
                 poly(z, 0.128379166f, -0.37612626f, 0.112835854f, -0.0268538129f, 0.00518832775f,
                      -0.000801019371f, 7.85386146e-05f),
                 x);
  } else {
    return fused(
        x,
        poly(z, 0.12837916709551256, -0.37612638903183521, 0.11283791670944185, -0.026866170643111469,
             0.0052239776061184769, -0.00085483259293145483, 0.00012055293576899877, -1.4924712301962503e-05,
             1.644713157041409e-06, -1.6206313750381806e-07, 1.3710980358469369e-08, -7.7794684092875826e-10),
        x);
  }
}

template <class B>
HEED_INLINE B erf_large(const B& a) noexcept {
  if constexpr (kIsFloat<B>) {
    return poly(a, 0.99235481f, -1.08032846f, 0.863768041f, -0.520129979f, 0.231513217f, -0.0731975809f,
                0.0154270325f, -0.00193165417f, 0.000108195592f);
  } else {
    return poly(a, 0.99999613080104977, -1.1283342485128371, 0.99975341124273687, -0.7514006202877509,
                0.4979176081906489, -0.29706821392718191, 0.16113775693646143, -0.079547885876555424,
                0.03553074931387213, -0.014206284712999449, 0.0050166420449680371, -0.0015417236584119077,
                0.00040604524120322266, -9.016200301844935e-05, 1.657351931755818e-05,
                -2.4671144988558153e-06, 2.8899250909471807e-07, -2.5575477853797325e-08,
                1.6040071969528315e-09, -6.3422228437168372e-11, 1.1869451712960912e-12);
  }
}

template <class B>
HEED_INLINE B erf(const B& x, B& exp_minus_square) noexcept {
  const B end(Fmt<B>::kErfOne), a = xsimd::abs(x), z = x * x;
  exp_minus_square = decay(z);
  const B large = B(1) - exp_minus_square * erf_large(xsimd::select(a > end, end, a));
  return xsimd::select(a < B(1), erf_small(x, z), with_sign(large, x));
}

template <class B>
HEED_INLINE B erf(const B& x) noexcept {
  B unused;
  return math::erf(x, unused);
}

}  // namespace heed::kernels::math
