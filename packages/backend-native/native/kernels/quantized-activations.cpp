#include "quantized-activations.h"

#include "quantized-expand.h"
#include "vector-math.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int vectors = subBlockColumns / VW;
typedef int8_t signedBytes __attribute__((vector_size(VW)));

#if WEFT_LEVEL == 2
WEFT_INLINE int32_t lanesSum(vi x) { return _mm512_reduce_add_epi32((__m512i)x); }
WEFT_INLINE int32_t lanesMax(vi x) { return _mm512_reduce_max_epi32((__m512i)x); }
#else
WEFT_INLINE int32_t lanesSum(vi x) {
  int32_t sum = 0;
  for (int i = 0; i < VW; i++) sum += x[i];
  return sum;
}
WEFT_INLINE int32_t lanesMax(vi x) {
  int32_t largest = x[0];
  for (int i = 1; i < VW; i++) largest = max(largest, x[i]);
  return largest;
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
  vi totals[2] = {};
  for (int v = 0; v < vectors; v++) {
    vi quants{};
    if (isFinite) {
      const vf shifted = values[v] / divisor + splat(0.5f);
      quants = toInt(shifted);
      quants += toFloat(quants) > shifted;  // −1 where truncation went up
    }
    const signedBytes bytes = __builtin_convertvector(quants, signedBytes);
    memcpy(out.quants + v * VW, &bytes, VW);
    totals[v * 2 / vectors] += quants;
  }
  out.step = isFinite ? step : __builtin_nanf("");
  const int32_t sums[2] = {lanesSum(form.halves == 1 ? totals[0] + totals[1] : totals[0]), form.halves == 1 ? 0 : lanesSum(totals[1])};
  for (int half = 0; half < 2; half++) {
    if (form.isFloat) out.sums[half] = out.step * static_cast<float>(sums[half]);
    else out.starts[half] = -form.zero * sums[half];
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
