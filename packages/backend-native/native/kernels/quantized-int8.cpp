// The integer products with what every processor of the level has: maddubs on x86, plain vectors elsewhere.
#define WEFT_TARGET
#include "quantized-expand.h"
#include "quantized-int8.h"

namespace weft::WEFT_ISA {
namespace {



#if defined(__x86_64__)
#if WEFT_LEVEL == 2
typedef __m512i Bytes;
WEFT_INLINE Bytes multiplyPairs(Bytes quants, Bytes x) { return _mm512_maddubs_epi16(quants, x); }
WEFT_INLINE Bytes addWords(Bytes a, Bytes b) { return _mm512_add_epi16(a, b); }
WEFT_INLINE Bytes widen(Bytes words, int factor) { return _mm512_madd_epi16(words, _mm512_set1_epi16(static_cast<int16_t>(factor))); }
#elif WEFT_LEVEL == 1
typedef __m256i Bytes;
WEFT_INLINE Bytes multiplyPairs(Bytes quants, Bytes x) { return _mm256_maddubs_epi16(quants, x); }
WEFT_INLINE Bytes addWords(Bytes a, Bytes b) { return _mm256_add_epi16(a, b); }
WEFT_INLINE Bytes widen(Bytes words, int factor) { return _mm256_madd_epi16(words, _mm256_set1_epi16(static_cast<int16_t>(factor))); }
#else
typedef __m128i Bytes;
WEFT_INLINE Bytes multiplyPairs(Bytes quants, Bytes x) { return _mm_maddubs_epi16(quants, x); }
WEFT_INLINE Bytes addWords(Bytes a, Bytes b) { return _mm_add_epi16(a, b); }
WEFT_INLINE Bytes widen(Bytes words, int factor) { return _mm_madd_epi16(words, _mm_set1_epi16(static_cast<int16_t>(factor))); }
#endif

WEFT_INLINE vi fourOf(const int8_t* quants) {
  int32_t word;
  memcpy(&word, quants, 4);
  return splatInt(word);
}

/** Sums of pairs stay in 16 bits as long as they cannot overflow: |x| ≤ 128, so 2 · 128 · (2^bits − 1) a word. */
struct Dot {
  static constexpr int classOf(int bits) { return bits <= 4 ? 4 : bits; }

  template <int bits, int words, int G, int R> static WEFT_INLINE void add(const vu* const columns[G], const int8_t* x, vi dots[G][R]) {
    if constexpr (bits == 8) return addEightBits<words, G, R>(columns, x, dots);
    constexpr int most = bits == 4 ? 8 : bits == 5 ? 4 : bits == 6 ? 2 : 1;
    constexpr int chain = most < words ? most : words;
#pragma GCC unroll 8
    for (int c = 0; c < words; c += chain) {
      Bytes sums[G][R];
#pragma GCC unroll 8
      for (int i = 0; i < chain; i++) {
#pragma GCC unroll 6
        for (int r = 0; r < R; r++) {
          const Bytes quants = (Bytes)fourOf(x + r * static_cast<int>(sizeof(ActivationBlock)) + 4 * (c + i));
#pragma GCC unroll 2
          for (int g = 0; g < G; g++) {
            const Bytes pairs = multiplyPairs((Bytes)columns[g][c + i], quants);
            sums[g][r] = i == 0 ? pairs : addWords(sums[g][r], pairs);
          }
        }
      }
#pragma GCC unroll 6
      for (int r = 0; r < R; r++)
#pragma GCC unroll 2
        for (int g = 0; g < G; g++) dots[g][r] += (vi)widen(sums[g][r], 1);
    }
  }

  /** Seven bits and the eighth apart. */
  template <int words, int G, int R> static WEFT_INLINE void addEightBits(const vu* const columns[G], const int8_t* x, vi dots[G][R]) {
    Bytes top[G][R];
#pragma GCC unroll 8
    for (int c = 0; c < words; c++) {
#pragma GCC unroll 2
      for (int g = 0; g < G; g++) {
        const Bytes low = (Bytes)(columns[g][c] & blocks::bytesOf(127)), high = (Bytes)((columns[g][c] >> 7) & blocks::bytesOf(1));
#pragma GCC unroll 6
        for (int r = 0; r < R; r++) {
          const Bytes quants = (Bytes)fourOf(x + r * static_cast<int>(sizeof(ActivationBlock)) + 4 * c);
          dots[g][r] += (vi)widen(multiplyPairs(low, quants), 1);
          const Bytes pairs = multiplyPairs(high, quants);
          top[g][r] = c == 0 ? pairs : addWords(top[g][r], pairs);
        }
      }
    }
#pragma GCC unroll 6
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
      for (int g = 0; g < G; g++) dots[g][r] += (vi)widen(top[g][r], 128);
  }
};
#else
struct Dot {
  static constexpr int classOf(int) { return 8; }

  template <int bits, int words, int G, int R> static WEFT_INLINE void add(const vu* const columns[G], const int8_t* x, vi dots[G][R]) {
    for (int c = 0; c < words; c++)
      for (int i = 0; i < 4; i++)
        for (int g = 0; g < G; g++) {
          const vi quants = (vi)((columns[g][c] >> (8 * i)) & (vu)splatInt(255));
          for (int r = 0; r < R; r++) dots[g][r] += quants * splatInt(x[r * static_cast<int>(sizeof(ActivationBlock)) + 4 * c + i]);
        }
  }
};
#endif

}  // namespace
}  // namespace weft::WEFT_ISA

#include "quantized-int8-body.h"

namespace weft::WEFT_ISA {

const Int8Kernels& int8KernelsOfLevel(QuantizedFormat format) {
  static const KernelTable table;
  return table.kernels[static_cast<int>(format)];
}

}  // namespace weft::WEFT_ISA
