// Elementary functions on vectors, for all kernels. Errors are below 2.5 ulp (measured against double over the whole range, and held
// by test/vector-math.test.ts); NaN, infinities, signed zeros and subnormal numbers behave as in C. Polynomials are minimax fits.
#pragma once
#include <cmath>

#include "wide-sum.h"

namespace weft::WEFT_ISA {

/** 2^n for integers n in −126 … 127. */
WEFT_INLINE vf powerOfTwo(vi n) { return floatsOf((n + 127) << 23); }

/** Nearest integer; |x| < 2^22. */
WEFT_INLINE vf nearest(vf x) {
  const vf magic = splat(0x1.8p23f);
  return (x + magic) - magic;
}

WEFT_INLINE vi toInt(vf x) { return __builtin_convertvector(x, vi); }
WEFT_INLINE vf toFloat(vi x) { return __builtin_convertvector(x, vf); }

/** Correctly rounded. */
WEFT_INLINE vf vsqrt(vf x) {
#if WEFT_LEVEL == 2
  return (vf)_mm512_sqrt_ps((__m512)x);
#elif WEFT_LEVEL == 1
  return (vf)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
  return (vf)_mm_sqrt_ps((__m128)x);
#else
  for (int i = 0; i < VW; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

/** x = n·ln 2 + r with |r| ≤ ln 2 / 2, for |x| < 2^20. */
WEFT_INLINE vf reduceByLn2(vf x, vf& n) {
  n = nearest(x * 0x1.715476p0f);
  const vf r = x - n * 0x1.62e4p-1f;  // 15 bits: the product is exact
  return r - n * 0x1.7f7d1cp-20f;
}

/** p·2^n for p around 1, right down to subnormal results and up to overflow. */
WEFT_INLINE vf scaleByPowerOfTwo(vf p, vf n) {
#if WEFT_LEVEL == 2
  return (vf)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
  const vi whole = toInt(n);
  const vi half = whole >> 1;
  return p * powerOfTwo(half) * powerOfTwo(whole - half);
#endif
}

/** e^x. */
WEFT_INLINE vf vexp(vf x) {
  const vf bounded = vmin(splat(88.8f), vmax(splat(-104.0f), x));  // beyond them: 0 and infinity; NaN stays NaN
  vf n;
  const vf r = reduceByLn2(bounded, n);
  vf p = splat(0x1.a1b4f8p-13f);
  p = p * r + 0x1.6d9686p-10f;
  p = p * r + 0x1.11108p-7f;
  p = p * r + 0x1.55548p-5f;
  p = p * r + 0x1.555556p-3f;
  p = p * r + 0.5f;
  p = p * (r * r) + r + 1.0f;
  return scaleByPowerOfTwo(p, n);
}

/** e^x − 1 for 0 ≤ x < 80. */
WEFT_INLINE vf vexpm1Positive(vf x) {
  vf n;
  const vf r = reduceByLn2(x, n);
  vf p = splat(0x1.a1b4f8p-13f);
  p = p * r + 0x1.6d9686p-10f;
  p = p * r + 0x1.11108p-7f;
  p = p * r + 0x1.55548p-5f;
  p = p * r + 0x1.555556p-3f;
  p = p * r + 0.5f;
  p = p * (r * r) + r;
  const vf scale = powerOfTwo(toInt(n));
  return p * scale + (scale - 1.0f);
}

/** ln x: −∞ at 0, NaN below. */
WEFT_INLINE vf vlog(vf x) {
  const vi isTiny = x < 0x1p-126f;
  const vi bits = bitsOf(select(isTiny, x * 0x1p23f, x));
  const vi exponent = (bits - 0x3f3504f3) >> 23;  // of x / √½, so that m lies in √½ … √2
  const vf s = floatsOf(bits - (exponent << 23)) - 1.0f;
  const vf n = toFloat(exponent) - select(isTiny, splat(23.0f), splat(0.0f));
  vf p = splat(0x1.14573ep-4f);
  p = p * s - 0x1.de3bf8p-4f;
  p = p * s + 0x1.e6f08cp-4f;
  p = p * s - 0x1.fc220ep-4f;
  p = p * s + 0x1.233766p-3f;
  p = p * s - 0x1.555c4ep-3f;
  p = p * s + 0x1.99a4b6p-3f;
  p = p * s - 0x1.000006p-2f;
  p = p * s + 0x1.555548p-2f;
  const vf square = s * s;
  vf y = square * s * p + n * 0x1.7f7d1cp-20f;
  y = y - 0.5f * square;
  y = (s + y) + n * 0x1.62e4p-1f;
  y = select(x == splat(INFINITY), x, y);
  y = select(x > 0.0f, y, splat(NAN));
  return select(x == 0.0f, splat(-INFINITY), y);
}

/** tanh x = E / (E + 2) with E = e^2|x| − 1. */
WEFT_INLINE vf vtanh(vf x) {
  const vf magnitude = vmin(vabs(x), splat(9.2f));  // from 9.02 on it is 1
  const vf e = vexpm1Positive(magnitude + magnitude);
  return select(x != x, x, withSign(e / (e + 2.0f), x));
}

/** erf x: x + x·P(x²) below 1, from there on 1 − exp(−Q(|x| − 1)), where Q fits −ln erfc. */
WEFT_INLINE vf verf(vf x) {
  const vf magnitude = vabs(x);
  const vf square = x * x;
  vf p = splat(0x1.496bc6p-14f);
  p = p * square - 0x1.a3f7a6p-11f;
  p = p * square + 0x1.5405ccp-8f;
  p = p * square - 0x1.b7f91p-6f;
  p = p * square + 0x1.ce2cf8p-4f;
  p = p * square - 0x1.81273ep-2f;
  p = p * square + 0x1.06eba8p-3f;
  const vf inner = x * p + x;
  const vf u = vmin(magnitude, splat(4.0f)) - 1.0f;  // erf 4 rounds to 1
  vf q = splat(-0x1.852dc4p-13f);
  q = q * u + 0x1.deb7f4p-10f;
  q = q * u - 0x1.441adap-7f;
  q = q * u + 0x1.53f942p-5f;
  q = q * u + 0x1.afad34p-1f;
  q = q * u + 0x1.51c9aap+1f;
  q = q * u + 0x1.d97fcp+0f;
  const vf outer = withSign(1.0f - vexp(-q), x);
  return select(magnitude < 1.0f, inner, select(x != x, x, outer));
}

// What needs more than 24 bits on the way goes in doubles, half a vector at a time.
template <class F> WEFT_INLINE vf inDoubles(vf a, vf b, const F& f) {
  const Doubles left = inDouble(a), right = inDouble(b);
  const vfHalf halves[2] = {__builtin_convertvector(f(left.low, right.low), vfHalf), __builtin_convertvector(f(left.high, right.high), vfHalf)};
  vf whole;
  memcpy(&whole, halves, sizeof whole);
  return whole;
}

/** sin(x + quarter·π/2). Arguments above a million go through the C library, one by one. */
WEFT_INLINE vf vsinShifted(vf x, int32_t quarter) {
  constexpr float limit = 1e6f;
  const vi isInside = vabs(x) <= limit;
  const vf bounded = select(isInside, x, splat(0.0f));
  const vf n = nearest(bounded * 0x1.45f306p-1f);
  // π/2 in two pieces; the first has 33 bits, so that its product with n is exact.
  const vf r = inDoubles(bounded, n, [](vd value, vd count) { return (value - count * 0x1.921fb544p0) - count * 0x1.0b4611a626331p-34; });
  const vf square = r * r;
  vf s = splat(0x1.6cd1f4p-19f);
  s = s * square - 0x1.a00f8p-13f;
  s = s * square + 0x1.111108p-7f;
  s = s * square - 0x1.555556p-3f;
  s = s * (square * r) + r;
  vf c = splat(0x1.9a0258p-16f);
  c = c * square - 0x1.6c0c8cp-10f;
  c = c * square + 0x1.55554ap-5f;
  c = c * (square * square) + (1.0f - 0.5f * square);
  const vi turn = toInt(n) + quarter;
  const vf value = select((turn & 1) != 0, c, s);
  vf result = floatsOf(bitsOf(value) ^ ((turn & 2) << 30));
  if (quarter == 0) result = select(x == 0.0f, x, result);
  if (__builtin_expect(anyOf(~isInside), 0)) {
    for (int i = 0; i < VW; i++)
      if (!isInside[i]) result[i] = static_cast<float>(quarter == 0 ? ::sin(static_cast<double>(x[i])) : ::cos(static_cast<double>(x[i])));
  }
  return result;
}
WEFT_INLINE vf vsin(vf x) { return vsinShifted(x, 0); }
WEFT_INLINE vf vcos(vf x) { return vsinShifted(x, 1); }

/** x^y as JavaScript has it: a y of NaN, and 1 or −1 to an infinite power, give NaN. */
WEFT_INLINE float powScalar(float x, float y) {
  if (y != y || (__builtin_fabsf(x) == 1.0f && __builtin_isinf(y))) return NAN;
  return static_cast<float>(::pow(static_cast<double>(x), static_cast<double>(y)));
}

/** x^y: 2^(y·log₂ x) in doubles; zeros, infinities and NaN go through the C library, one by one. Negative x with a whole y is fine. */
WEFT_INLINE vf vpow(vf x, vf y) {
  const vf magnitude = vabs(x);
  const vi isOrdinary = (magnitude > 0.0f) & (magnitude < splat(INFINITY)) & (vabs(y) < splat(INFINITY));
  vf result = inDoubles(select(isOrdinary, magnitude, splat(1.0f)), select(isOrdinary, y, splat(0.0f)), [](vd base, vd power) {
    const vl bits = (vl)base;
    const vl exponent = (bits - 0x3fe6a09e667f3bcd) >> 52;
    const vd m = (vd)(bits - (exponent << 52));
    const vd t = (m - 1.0) / (m + 1.0);
    const vd square = t * t;
    vd p = square * 0x1.5ce74f43fe6bcp-2 + 0x1.a58d9809d91a0p-2;
    p = p * square + 0x1.27777fc341c6ep-1;
    p = p * square + 0x1.ec709d13110a4p-1;
    p = p * square + 0x1.71547652bed78p+1;
    vd z = power * (__builtin_convertvector(exponent, vd) + p * t);
    z = z > 1000.0 ? z - z + 1000.0 : z;
    z = z < -1000.0 ? z - z - 1000.0 : z;
    const vd magic = z - z + 0x1.8p52;
    const vd n = (z + magic) - magic;
    const vd f = z - n;
    vd e = f * 0x1.41d32d1f60e1cp-13 + 0x1.5f456a7adb681p-10;
    e = e * f + 0x1.3b2dbbca52e1bp-7;
    e = e * f + 0x1.c6aed4b9788adp-5;
    e = e * f + 0x1.ebfbdadca304dp-3;
    e = e * f + 0x1.62e430c7e8fb8p-1;
    e = e * f + 0x1.000000026155ap+0;
    const vl whole = (vl)(n + magic) - (vl)magic;
    return e * (vd)((whole + 1023) << 52);
  });
  const vi isNegative = x < 0.0f;
  if (anyOf(isNegative)) {
    const vf half = y * 0.5f;
    // Floats from 2^23 on are whole, from 2^24 on even; below, the nearest whole number tells.
    const vi isWhole = (vabs(y) >= 0x1p22f) | (nearest(y) == y);
    const vi isLarge = vabs(y) >= 0x1p22f;
    const vi isOdd = ~isLarge & isWhole & (nearest(half) != half);
    result = select(isNegative, select(isWhole, floatsOf(bitsOf(result) ^ (isOdd & (int32_t)0x80000000)), splat(NAN)), result);
  }
  const vi isRest = ~isOrdinary | (isNegative & (vabs(y) >= 0x1p22f));
  if (__builtin_expect(anyOf(isRest), 0)) {
    for (int i = 0; i < VW; i++)
      if (isRest[i]) result[i] = powScalar(x[i], y[i]);
  }
  return result;
}

}  // namespace weft::WEFT_ISA
