// Powers of two, since attention keeps its scores times log2 e, and the transposition of a square of VW × VW floats.
#pragma once
#include <utility>

#include "vector-math.h"

namespace weft::WEFT_ISA {

constexpr float log2OfE = 1.44269504088896341f;
constexpr float ln2 = 0.693147180559945309f;

/** 2^x with an error below 2 ulp (a minimax polynomial); 0 below −151, infinity from 128 on, NaN where x is. */
WEFT_INLINE vf vexp2(vf x) {
#if WEFT_LEVEL == 2
  // In this order of operands NaN comes through.
  const vf bounded = (vf)_mm512_max_ps(_mm512_set1_ps(-151.0f), _mm512_min_ps(_mm512_set1_ps(129.0f), (__m512)x));
  const vf n = (vf)_mm512_roundscale_ps((__m512)bounded, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
  const vf bounded = vmin(vmax(x, splat(-151.0f)), splat(129.0f));
  const vf n = nearest(bounded);
#endif
  const vf r = bounded - n;
  vf p = multiplyAdd(splat(1.326472731307149e-3f), r, splat(9.671512991189957e-3f));
  p = multiplyAdd(p, r, splat(5.550733581185341e-2f));
  p = multiplyAdd(p, r, splat(2.4022242426872253e-1f));
  p = multiplyAdd(p, r, splat(6.931470036506653e-1f));
  p = multiplyAdd(p, r, splat(1.0f));
#if WEFT_LEVEL == 2
  return (vf)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
  const vi whole = toInt(n);
  const vi half = whole >> 1;
  return select(x != x, x, p * powerOfTwo(half) * powerOfTwo(whole - half));
#endif
}

namespace transposition {

template <int step, size_t... lane> WEFT_INLINE void exchange(vf& a, vf& b, std::index_sequence<lane...>) {
  const vf first = __builtin_shufflevector(a, b, ((lane & step) == 0 ? lane : VW + lane - step)...);
  b = __builtin_shufflevector(a, b, ((lane & step) == 0 ? lane + step : VW + lane)...);
  a = first;
}

template <int step> WEFT_INLINE void stage(vf rows[VW]) {
#pragma GCC unroll 16
  for (int i = 0; i < VW; i++)
    if ((i & step) == 0) exchange<step>(rows[i], rows[i + step], std::make_index_sequence<VW>{});
  if constexpr (step > 1) stage<step / 2>(rows);
}

}  // namespace transposition

/** rows[i][j] becomes rows[j][i]. */
WEFT_INLINE void transpose(vf rows[VW]) { transposition::stage<VW / 2>(rows); }

/** The sums over the lanes of VW vectors, that of rows[i] in lane i, in a fixed order. */
template <int step = VW / 2> WEFT_INLINE vf sumsOfLanes(vf rows[VW]) {
#pragma GCC unroll 16
  for (int i = 0; i < step; i++) {
    transposition::exchange<step>(rows[i], rows[i + step], std::make_index_sequence<VW>{});
    rows[i] += rows[i + step];
  }
  if constexpr (step > 1) return sumsOfLanes<step / 2>(rows);
  else return rows[0];
}

}  // namespace weft::WEFT_ISA
