// Elementary functions on vectors, for all kernels. Accuracy is some 2 ulp unless said; NaN and infinities behave as in C.
#pragma once
#include "isa.h"

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

/** e^x: x = n·ln 2 + r, a polynomial of degree 6 in r (minimax on ±ln 2 / 2). Underflows to 0 below −87.3 gradually enough: to 0 below −103. */
WEFT_INLINE vf vexp(vf x) {
  const vf bounded = vmin(vmax(x, splat(-104.0f)), splat(88.8f));  // NaN → bound; put back below
  const vf n = nearest(bounded * 1.44269504088896341f);
  vf r = bounded - n * 0x1.62e4p-1f;
  r = r - n * 0x1.7f7d1cp-20f;
  vf p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  // Two factors, so that results below 2^-126 and up to the largest float come out.
  const vi whole = toInt(n);
  const vi half = whole >> 1;
  const vf result = p * powerOfTwo(half) * powerOfTwo(whole - half);
  return select(x != x, x, result);
}

}  // namespace weft::WEFT_ISA
