// Sums in double of vectors of floats: what is added up may be long. Add a few vectors in f32 first and each of those sums here; then
// the whole costs little more than a sum in f32.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

// Doubles come half a vector of floats at a time.
typedef float vfHalf __attribute__((vector_size(2 * VW)));
typedef double vd __attribute__((vector_size(4 * VW)));
typedef double vdUnaligned __attribute__((vector_size(4 * VW), aligned(8), may_alias));
typedef int64_t vl __attribute__((vector_size(4 * VW)));

struct Doubles {
  vd low, high;
};

WEFT_INLINE Doubles inDouble(vf x) {
  vfHalf halves[2];
  memcpy(halves, &x, sizeof x);
  return {__builtin_convertvector(halves[0], vd), __builtin_convertvector(halves[1], vd)};
}

struct WideSum {
  Doubles parts = {};

  WEFT_INLINE void add(vf x) {
    const Doubles wide = inDouble(x);
    parts.low += wide.low;
    parts.high += wide.high;
  }
  WEFT_INLINE void add(const WideSum& other) {
    parts.low += other.parts.low;
    parts.high += other.parts.high;
  }
  WEFT_INLINE double total() const {
    const vd both = parts.low + parts.high;
    double sum = 0;
    for (int i = 0; i < VW / 2; i++) sum += both[i];
    return sum;
  }
};

/** totals[i] += x[i] for the first n lanes. */
WEFT_INLINE void addTo(double* totals, vf x, int n) {
  if (n == VW) {
    const Doubles wide = inDouble(x);
    vdUnaligned* at = reinterpret_cast<vdUnaligned*>(totals);  // not auto, which forgets the alignment
    at[0] += wide.low;
    at[1] += wide.high;
  } else {
    for (int i = 0; i < n; i++) totals[i] += static_cast<double>(x[i]);
  }
}

/** (row(0) + row(1)) + (row(2) + row(3)) …, as far as there are rows: up to eight of them, in pairs. */
template <class F> WEFT_INLINE vf sumOfRows(int count, const F& row) {
  if (count == 8) return ((row(0) + row(1)) + (row(2) + row(3))) + ((row(4) + row(5)) + (row(6) + row(7)));
  vf sum = row(0);
  for (int k = 1; k < count; k++) sum += row(k);
  return sum;
}

}  // namespace weft::WEFT_ISA
