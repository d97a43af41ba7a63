// Philox4x32-10 on vectors, the same bits as packages/tensor/src/random-key.ts: element i is word i mod 4 of counter ⌊i / 4⌋.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

/** One counter a 64-bit lane. */
constexpr int philoxLanes = VW / 2;
/** The elements of one call: four words a counter. */
constexpr int philoxElements = 4 * philoxLanes;

typedef uint64_t vq __attribute__((vector_size(8 * philoxLanes)));

/** The 64-bit products of the lower halves; what stands in the upper halves does not matter. */
WEFT_INLINE vq multiplyLow(vq a, vq b) {
#if WEFT_LEVEL == 2
  return (vq)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif WEFT_LEVEL == 1
  return (vq)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
  return (vq)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

/** Lane 0 of a, lane 0 of b, lane 2 of a, lane 2 of b, …; `odd` takes lanes 1, 3, … */
WEFT_INLINE vq interleaveEven(vq a, vq b) {
#if WEFT_LEVEL == 2
  return (vq)_mm512_unpacklo_epi64((__m512i)a, (__m512i)b);
#elif WEFT_LEVEL == 1
  return (vq)_mm256_unpacklo_epi64((__m256i)a, (__m256i)b);
#else
  return (vq){a[0], b[0]};
#endif
}
WEFT_INLINE vq interleaveOdd(vq a, vq b) {
#if WEFT_LEVEL == 2
  return (vq)_mm512_unpackhi_epi64((__m512i)a, (__m512i)b);
#elif WEFT_LEVEL == 1
  return (vq)_mm256_unpackhi_epi64((__m256i)a, (__m256i)b);
#else
  return (vq){a[1], b[1]};
#endif
}

/** The words of elements 4 · counter … 4 · counter + philoxElements: the first VW in `first`, the others in `second`. */
WEFT_INLINE void philox(uint32_t key0, uint32_t key1, int64_t counter, vu& first, vu& second) {
  // Even lanes hold the first half of the counters, odd lanes the second: so that interleaving puts the words in order.
  vq lane;
  for (int i = 0; i < philoxLanes; i++) lane[i] = static_cast<uint64_t>(counter + i / 2 + i % 2 * (philoxLanes / 2));
  vq c0 = lane, c1 = lane >> 32, c2 = {}, c3 = {};
  vq k0 = (vq){} + key0, k1 = (vq){} + key1;
  for (int round = 0; round < 10; round++) {
    const vq product0 = multiplyLow(c0, (vq){} + 0xd2511f53u);
    const vq product1 = multiplyLow(c2, (vq){} + 0xcd9e8d57u);
    c0 = (product1 >> 32) ^ c1 ^ k0;  // upper halves hold rubbish from here on
    c1 = product1;
    c2 = (product0 >> 32) ^ c3 ^ k1;
    c3 = product0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  const vq lower = (c0 & 0xffffffffu) | (c1 << 32);
  const vq upper = (c2 & 0xffffffffu) | (c3 << 32);
  first = (vu)interleaveEven(lower, upper);
  second = (vu)interleaveOdd(lower, upper);
}

}  // namespace weft::WEFT_ISA
