#include "quantized-activations.h"

#include "quantized-expand.h"
#include "vector-math.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int vectors = subBlockColumns / VW;
#if WEFT_LEVEL == 2
WEFT_INLINE int32_t lanesMax(vi x) { return _mm512_reduce_max_epi32((__m512i)x); }
/** The quants of a block, which fit into bytes. */
WEFT_INLINE void storeBytes(const vi quants[vectors], int8_t* out) {
  for (int v = 0; v < vectors; v++) _mm_storeu_si128(reinterpret_cast<__m128i*>(out + v * VW), _mm512_cvtepi32_epi8((__m512i)quants[v]));
}
#elif defined(__x86_64__)
#if WEFT_LEVEL == 1
WEFT_INLINE __m128i lowerHalf(vi x) { return _mm256_castsi256_si128((__m256i)x); }
WEFT_INLINE __m128i upperHalf(vi x) { return _mm256_extracti128_si256((__m256i)x, 1); }
WEFT_INLINE int32_t lanesMax(vi x) {
  const __m128i four = _mm_max_epi32(lowerHalf(x), upperHalf(x));
  const __m128i two = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}
WEFT_INLINE void storeBytes(const vi quants[vectors], int8_t* out) {
  const __m256i low = _mm256_packs_epi32((__m256i)quants[0], (__m256i)quants[1]), high = _mm256_packs_epi32((__m256i)quants[2], (__m256i)quants[3]);
  const __m256i mixed = _mm256_packs_epi16(low, high);  // in halves of 128 bits
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_permutevar8x32_epi32(mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
}
#else
WEFT_INLINE int32_t lanesMax(vi x) {
  const __m128i two = _mm_max_epi32((__m128i)x, _mm_shuffle_epi32((__m128i)x, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}
WEFT_INLINE void storeBytes(const vi quants[vectors], int8_t* out) {
  for (int v = 0; v < vectors; v += 4) {
    const __m128i low = _mm_packs_epi32((__m128i)quants[v], (__m128i)quants[v + 1]), high = _mm_packs_epi32((__m128i)quants[v + 2], (__m128i)quants[v + 3]);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + v * VW), _mm_packs_epi16(low, high));
  }
}
#endif
#else
WEFT_INLINE int32_t lanesMax(vi x) {
  int32_t largest = x[0];
  for (int i = 1; i < VW; i++) largest = max(largest, x[i]);
  return largest;
}
WEFT_INLINE void storeBytes(const vi quants[vectors], int8_t* out) {
  for (int i = 0; i < subBlockColumns; i++) out[i] = static_cast<int8_t>(quants[i / VW][i % VW]);
}
#endif

/** NaN where there is one: its bits, without the sign, are above those of infinity. */
WEFT_INLINE float largestMagnitude(const vf values[vectors]) {
  vi largest{};
  for (int v = 0; v < vectors; v++) {
    const vi bits = bitsOf(values[v]) & 0x7fffffff;
    largest = bits > largest ? bits : largest;
  }
  const int32_t bits = lanesMax(largest);
  float result;
  memcpy(&result, &bits, 4);
  return result;
}

/** floor(x / step + 0.5) of 32 values; then the sum of all or of each half, as step · sum or −zero · sum. */
WEFT_INLINE void roundBlock(const vf values[vectors], const SumForm& form, ActivationBlock& out) {
  const float step = largestMagnitude(values) * (1.0f / 127);
  const bool isFinite = step < __builtin_inff();
  const vf divisor = splat(isFinite && step != 0 ? step : 1);
  vi quants[vectors] = {}, totals[2] = {};
  for (int v = 0; v < vectors && isFinite; v++) {
    const vf shifted = values[v] / divisor + splat(0.5f);
    quants[v] = toInt(shifted);
    quants[v] += toFloat(quants[v]) > shifted;  // −1 where truncation went up
    totals[v * 2 / vectors] += quants[v];
  }
  storeBytes(quants, out.quants);
  out.step = isFinite ? step : __builtin_nanf("");
  if (form.halves == 1) totals[0] += totals[1];
  for (int half = 0; half < 2; half++) {
    const float sum = half < form.halves ? sumLanes(toFloat(totals[half])) : 0;  // exact: below 2^12
    if (form.isFloat) out.sums[half] = out.step * sum;
    else out.starts[half] = -form.zero * static_cast<int32_t>(sum);
  }
}

}  // namespace

SumForm sumFormOf(QuantizedFormat format) {
  return withFormat(format, []<class Format>(Format) { return SumForm{Format::hasOffset, Format::zero, Format::halves}; });
}

void roundRow(const View& x, int64_t row, int64_t blocks, const SumForm& form, ActivationBlock* out, int64_t stride) {
  withFloatType(x.dtype, "quantizedMatMul", [&]<class T>(T*) {
    const T* from = x.as<T>() + row * blocks * subBlockColumns;
    for (int64_t block = 0; block < blocks; block++, from += subBlockColumns) {
      vf values[vectors];
      for (int v = 0; v < vectors; v++) values[v] = loadAs(from + v * VW, VW);
      roundBlock(values, form, out[block * stride]);
    }
  });
}

}  // namespace weft::WEFT_ISA
