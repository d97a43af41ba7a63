// The integer products by vpdpbusd: four bytes times four bytes a lane, summed, in one instruction.
#include "quantized-int8.h"

#if WEFT_LEVEL >= 1
#if WEFT_LEVEL == 2
#define WEFT_TARGET __attribute__((target("avx512vnni")))
#else
#define WEFT_TARGET __attribute__((target("avxvnni")))
#endif

namespace weft::WEFT_ISA {
namespace {

WEFT_TARGET WEFT_INLINE vi addProducts(vi sum, vu quants, vi x) {
#if WEFT_LEVEL == 2
  return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)quants, (__m512i)x);
#else
  return (vi)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)quants, (__m256i)x);
#endif
}

struct Dot {
  static constexpr int classOf(int) { return 8; }

  template <int bits, int words, int G, int R> WEFT_TARGET static WEFT_INLINE void add(const vu* const columns[G], const int8_t* x, vi dots[G][R]) {
#pragma GCC unroll 8
    for (int c = 0; c < words; c++) {
      vu quants[G];
#pragma GCC unroll 2
      for (int g = 0; g < G; g++) quants[g] = columns[g][c];
#pragma GCC unroll 6
      for (int r = 0; r < R; r++) {
        int32_t four;
        memcpy(&four, x + r * static_cast<int>(sizeof(ActivationBlock)) + 4 * c, 4);
        const vi broadcast = splatInt(four);
#pragma GCC unroll 2
        for (int g = 0; g < G; g++) dots[g][r] = addProducts(dots[g][r], quants[g], broadcast);
      }
    }
  }
};

}  // namespace
}  // namespace weft::WEFT_ISA

#include "quantized-int8-body.h"

namespace weft::WEFT_ISA {

const Int8Kernels& int8Kernels(QuantizedFormat format) {
  static const KernelTable table;
  const bool isThere = WEFT_LEVEL == 2 ? cpuFeatures().avx512Vnni : cpuFeatures().avxVnni;
  return isThere ? table.kernels[static_cast<int>(format)] : int8KernelsOfLevel(format);
}

}  // namespace weft::WEFT_ISA
#else
namespace weft::WEFT_ISA {

const Int8Kernels& int8Kernels(QuantizedFormat format) { return int8KernelsOfLevel(format); }

}  // namespace weft::WEFT_ISA
#endif
