// The integer products by vpdpbusd: four bytes times four bytes a lane, summed, in one instruction.
#include "quantized-int8.h"

#if WEFT_LEVEL == 2
#define WEFT_TARGET __attribute__((target("avx512vnni")))

namespace weft::WEFT_ISA {
namespace {

struct Dot {
  static constexpr int classOf(int) { return 8; }

  template <int bits, int words, int G, int R> WEFT_TARGET static WEFT_INLINE void add(const vu* const columns[G], const int8_t* x, vi dots[G][R]) {
#pragma GCC unroll 8
    for (int c = 0; c < words; c++) {
      __m512i quants[G];
#pragma GCC unroll 2
      for (int g = 0; g < G; g++) quants[g] = (__m512i)columns[g][c];
#pragma GCC unroll 6
      for (int r = 0; r < R; r++) {
        int32_t four;
        memcpy(&four, x + r * static_cast<int>(sizeof(ActivationBlock)) + 4 * c, 4);
        const __m512i broadcast = _mm512_set1_epi32(four);
#pragma GCC unroll 2
        for (int g = 0; g < G; g++) dots[g][r] = (vi)_mm512_dpbusd_epi32((__m512i)dots[g][r], quants[g], broadcast);
      }
    }
  }
};

}  // namespace
}  // namespace weft::WEFT_ISA

#include "quantized-int8-body.h"

namespace weft::WEFT_ISA {

const Int8Kernels& int8KernelsVnni(QuantizedFormat format) {
  static const KernelTable table;
  return table.kernels[static_cast<int>(format)];
}

}  // namespace weft::WEFT_ISA
#else
namespace weft::WEFT_ISA {

const Int8Kernels& int8KernelsVnni(QuantizedFormat format) { return int8Kernels(format); }

}  // namespace weft::WEFT_ISA
#endif
