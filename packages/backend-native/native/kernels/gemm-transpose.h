// VW × VW elements of 32 bits turned over in registers.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

#if WEFT_LEVEL == 2
WEFT_INLINE void transpose(vf (&x)[VW]) {
  __m512 a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_ps((__m512)x[i], (__m512)x[i + 1]);
    a[i + 1] = _mm512_unpackhi_ps((__m512)x[i], (__m512)x[i + 1]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 4) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      b[i + 2 * j] = (__m512)_mm512_unpacklo_pd((__m512d)a[i + j], (__m512d)a[i + j + 2]);
      b[i + 2 * j + 1] = (__m512)_mm512_unpackhi_pd((__m512d)a[i + j], (__m512d)a[i + j + 2]);
    }
  }
  // b[4q + c] has, in its quarter l, column 4l + c of rows 4q … 4q + 3.
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) {
    const __m512 low = _mm512_shuffle_f32x4(b[c], b[4 + c], 0x88), high = _mm512_shuffle_f32x4(b[c], b[4 + c], 0xdd);
    const __m512 low2 = _mm512_shuffle_f32x4(b[8 + c], b[12 + c], 0x88), high2 = _mm512_shuffle_f32x4(b[8 + c], b[12 + c], 0xdd);
    x[c] = (vf)_mm512_shuffle_f32x4(low, low2, 0x88);
    x[8 + c] = (vf)_mm512_shuffle_f32x4(low, low2, 0xdd);
    x[4 + c] = (vf)_mm512_shuffle_f32x4(high, high2, 0x88);
    x[12 + c] = (vf)_mm512_shuffle_f32x4(high, high2, 0xdd);
  }
}
#elif WEFT_LEVEL == 1
WEFT_INLINE void transpose(vf (&x)[VW]) {
  __m256 a[8], b[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i += 2) {
    a[i] = _mm256_unpacklo_ps((__m256)x[i], (__m256)x[i + 1]);
    a[i + 1] = _mm256_unpackhi_ps((__m256)x[i], (__m256)x[i + 1]);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; i += 4) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      b[i + 2 * j] = (__m256)_mm256_unpacklo_pd((__m256d)a[i + j], (__m256d)a[i + j + 2]);
      b[i + 2 * j + 1] = (__m256)_mm256_unpackhi_pd((__m256d)a[i + j], (__m256d)a[i + j + 2]);
    }
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) {
    x[c] = (vf)_mm256_permute2f128_ps(b[c], b[4 + c], 0x20);
    x[4 + c] = (vf)_mm256_permute2f128_ps(b[c], b[4 + c], 0x31);
  }
}
#elif defined(__x86_64__)
WEFT_INLINE void transpose(vf (&x)[VW]) { _MM_TRANSPOSE4_PS((__m128&)x[0], (__m128&)x[1], (__m128&)x[2], (__m128&)x[3]); }
#else
WEFT_INLINE void transpose(vf (&x)[VW]) {
  vf y[VW];
  for (int i = 0; i < VW; i++)
    for (int j = 0; j < VW; j++) y[i][j] = x[j][i];
  for (int i = 0; i < VW; i++) x[i] = y[i];
}
#endif

}  // namespace weft::WEFT_ISA
