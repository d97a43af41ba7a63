// Searching a row of floats: its maximum, where a value stands first, and the threshold that leaves a given weight below it.
#pragma once
#include "elements.h"

namespace weft::WEFT_ISA {

struct RowMax {
  float value;  // −∞ where there is nothing but NaN
  bool hasNaN;
};

/** Of the first n elements; what lies behind them is not read. */
template <class T> WEFT_INLINE RowMax rowMaxOf(const T* x, int64_t n) {
  const vf lowest = splat(-__builtin_inff());
  vf a = lowest, b = lowest;
  vi odd = {};
  int64_t i = 0;
  for (; i + 2 * VW <= n; i += 2 * VW) {
    const vf u = loadAs(x + i, VW), v = loadAs(x + i + VW, VW);
    a = u > a ? u : a;
    b = v > b ? v : b;
    odd |= (u != u) | (v != v);
  }
  for (; i < n; i += VW) {
    const int count = static_cast<int>(min<int64_t>(VW, n - i));
    vf u = loadAs(x + i, count);
    for (int k = count; k < VW; k++) u[k] = -__builtin_inff();
    a = u > a ? u : a;
    odd |= u != u;
  }
  return {maxLanes(vmax(a, b)), anyOf(odd)};
}

/** The first place at which x equals value; n where it does not occur. */
template <class T> WEFT_INLINE int64_t firstEqual(const T* x, int64_t n, float value) {
  const vf wanted = splat(value);
  for (int64_t i = 0; i < n; i += VW) {
    const int count = static_cast<int>(min<int64_t>(VW, n - i));
    const vi isHit = loadAs(x + i, count) == wanted;
    if (!anyOf(isHit)) continue;
    for (int k = 0; k < count; k++)
      if (isHit[k]) return i + k;
  }
  return n;
}

// Integers in the order of the floats that they stand for.
WEFT_INLINE int64_t orderOf(float x) {
  int32_t bits;
  memcpy(&bits, &x, 4);
  return bits ^ ((bits >> 31) & 0x7fffffff);
}
WEFT_INLINE float floatAt(int64_t order) {
  int32_t bits = static_cast<int32_t>(order);
  bits ^= (bits >> 31) & 0x7fffffff;
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

struct Below {
  double weight;
  int64_t count;
};

/** How many elements lie below a threshold and what they weigh: each its own value, or 1. */
template <bool byValue> Below weighBelow(const float* x, int64_t n, float threshold) {
  constexpr int64_t block = 4096;
  const vf limit = splat(threshold);
  Below total{0, 0};
  for (int64_t begin = 0; begin < n; begin += block) {
    const int64_t end = min(begin + block, n);
    vf sumA = {}, sumB = {};
    vi countA = {}, countB = {};
    int64_t i = begin;
    for (; i + 2 * VW <= end; i += 2 * VW) {
      const vf u = load(x + i), v = load(x + i + VW);
      const vi isU = u < limit, isV = v < limit;
      countA -= isU;
      countB -= isV;
      if constexpr (byValue) {
        sumA += select(isU, u, vf{});
        sumB += select(isV, v, vf{});
      }
    }
    countA += countB;
    for (int k = 0; k < VW; k++) total.count += countA[k];
    if constexpr (byValue) total.weight += static_cast<double>(sumLanes(sumA + sumB));
    for (; i < end; i++) {
      if (!(x[i] < threshold)) continue;
      total.count++;
      if constexpr (byValue) total.weight += static_cast<double>(x[i]);
    }
  }
  if constexpr (!byValue) total.weight = static_cast<double>(total.count);
  return total;
}

/** Moves the elements in low … high (which is out) to the front, in their order, and returns their number. */
WEFT_INLINE int64_t keepBetween(const float* x, int64_t n, float low, float high, float* out) {
  int64_t kept = 0;
  int64_t i = 0;
#if WEFT_LEVEL == 2
  // `out` may be x itself: what is written lies on what has been read.
  for (; i + VW <= n; i += VW) {
    const __m512 v = _mm512_loadu_ps(x + i);
    const __mmask16 mask = _mm512_cmp_ps_mask(v, _mm512_set1_ps(low), _CMP_GE_OQ) & _mm512_cmp_ps_mask(v, _mm512_set1_ps(high), _CMP_LT_OQ);
    _mm512_storeu_ps(out + kept, _mm512_maskz_compress_ps(mask, v));
    kept += __builtin_popcount(mask);
  }
#endif
  for (; i < n; i++) {
    const float v = x[i];
    out[kept] = v;
    kept += v >= low && v < high;
  }
  return kept;
}

/** Of few elements in low … high: the largest of them with less than `budget` below it, where what is not among them weighs `decided`. */
template <bool byValue> float thresholdOfFew(float* x, int64_t n, double decided, double budget, float low) {
  for (int64_t i = 1; i < n; i++) {
    const float v = x[i];
    int64_t k = i;
    for (; k > 0 && x[k - 1] > v; k--) x[k] = x[k - 1];
    x[k] = v;
  }
  float result = low;
  for (int64_t i = 0; i < n && decided < budget;) {
    result = x[i];
    for (; i < n && x[i] == result; i++) decided += byValue ? static_cast<double>(x[i]) : 1.0;
  }
  return result;
}

/**
 * The largest threshold t in low … high for which the elements below t weigh less than `budget`; `low` where none is. Bisection over
 * the floats' order; elements that are decided are dropped as soon as they are many, and the last few are sorted.
 * @param guess where to look first.
 * @param work room for n elements.
 */
template <bool byValue> float thresholdOf(const float* x, int64_t n, float low, float high, double budget, float guess, float* work) {
  constexpr int64_t few = 48;
  const Below whole = weighBelow<byValue>(x, n, high);
  if (whole.weight < budget) return high;
  const Below below = weighBelow<byValue>(x, n, low);
  if (!(below.weight < budget)) return low;
  // Inside holds, outside does not; `gone` is the weight of what has been dropped, and `decided` that of all below inside.
  int64_t inside = orderOf(low), outside = orderOf(high), rest = n, belowInside = below.count, belowOutside = whole.count;
  double gone = 0, decided = below.weight;
  bool isFirst = guess > low && guess < high;
  while (outside - inside > 1) {
    const int64_t open = belowOutside - belowInside;
    if (open * 2 <= rest || open <= few) {
      rest = keepBetween(x, rest, floatAt(inside), floatAt(outside), work);
      x = work;
      gone = decided;
      belowInside = 0;
      belowOutside = rest;
      if (rest <= few) return thresholdOfFew<byValue>(work, rest, decided, budget, floatAt(inside));
    }
    const int64_t middle = isFirst ? orderOf(guess) : inside + (outside - inside) / 2;
    isFirst = false;
    const Below here = weighBelow<byValue>(x, rest, floatAt(middle));
    if (gone + here.weight < budget) {
      inside = middle;
      belowInside = here.count;
      decided = gone + here.weight;
    } else {
      outside = middle;
      belowOutside = here.count;
    }
  }
  return floatAt(inside);
}

}  // namespace weft::WEFT_ISA
