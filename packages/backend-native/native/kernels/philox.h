// Philox4x32-10 on vectors, the same bits as packages/tensor/src/random-key.ts: element i is word i mod 4 of counter ⌊i / 4⌋. A counter has
// a 64-bit lane, so that one multiplication gives both halves of its product.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

constexpr int philoxLanes = VW / 2;
/** The elements of one draw: four words a counter. */
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

/** Lane 0 of a, lane 0 of b, lane 2 of a, lane 2 of b, …; the other takes lanes 1, 3, … */
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

class Philox {
 public:
  WEFT_INLINE Philox(uint32_t key0, uint32_t key1) {
    // Even lanes hold the first half of the counters, odd lanes the second: so that interleaving puts the words in order.
    for (int i = 0; i < philoxLanes; i++) offsets_[i] = static_cast<uint64_t>(i / 2 + i % 2 * (philoxLanes / 2));
    for (int round = 0; round < 10; round++) {
      keys0_[round] = (vq){} + (key0 + static_cast<uint32_t>(round) * 0x9e3779b9u);
      keys1_[round] = (vq){} + (key1 + static_cast<uint32_t>(round) * 0xbb67ae85u);
    }
  }

  /** The words of elements `start` … start + philoxElements, start a multiple of four: the first VW in `first`, the others in `second`. */
  WEFT_INLINE void draw(int64_t start, vu& first, vu& second) const {
    const vq counters = offsets_ + static_cast<uint64_t>(start / 4);
    vq c0 = counters, c1 = counters >> 32, c2 = {}, c3 = {};
    for (int round = 0; round < 10; round++) {
      const vq product0 = multiplyLow(c0, (vq){} + 0xd2511f53u);
      const vq product1 = multiplyLow(c2, (vq){} + 0xcd9e8d57u);
      c0 = (product1 >> 32) ^ c1 ^ keys0_[round];  // upper halves hold rubbish from here on
      c1 = product1;
      c2 = (product0 >> 32) ^ c3 ^ keys1_[round];
      c3 = product0;
    }
    const vq lower = (c0 & 0xffffffffu) | (c1 << 32);
    const vq upper = (c2 & 0xffffffffu) | (c3 << 32);
    first = (vu)interleaveEven(lower, upper);
    second = (vu)interleaveOdd(lower, upper);
  }

 private:
  vq offsets_, keys0_[10], keys1_[10];
};

}  // namespace weft::WEFT_ISA
