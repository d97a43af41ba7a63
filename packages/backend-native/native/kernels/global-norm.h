// Σ x² in doubles: nothing overflows and nothing is lost, and it still runs at the speed of memory.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

WEFT_INLINE double sumOfSquares(const float* x, int64_t count) {
  typedef float halfUnaligned __attribute__((vector_size(2 * VW), aligned(4), may_alias));
  typedef double vd __attribute__((vector_size(4 * VW)));
  constexpr int width = VW / 2;
  constexpr int ways = 4;
  vd sums[ways] = {};
  int64_t i = 0;
  for (; i + ways * width <= count; i += ways * width) {
    for (int way = 0; way < ways; way++) {
      const vd wide = __builtin_convertvector(*reinterpret_cast<const halfUnaligned*>(x + i + way * width), vd);
      sums[way] += wide * wide;
    }
  }
  const vd sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  double total = 0;
  for (int lane = 0; lane < width; lane++) total += sum[lane];
  for (; i < count; i++) total += static_cast<double>(x[i]) * x[i];
  return total;
}

}  // namespace weft::WEFT_ISA
