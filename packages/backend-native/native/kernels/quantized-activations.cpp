#include "quantized-activations.h"

#include "quantized-expand.h"
#include "vector-math.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int vectors = subBlockColumns / VW;
typedef int8_t signedBytes __attribute__((vector_size(VW)));

int32_t lanesSum(vi x) {
  int32_t sum = 0;
  for (int i = 0; i < VW; i++) sum += x[i];
  return sum;
}

/** NaN where there is one: its bits, without the sign, are above those of infinity. */
float largestMagnitude(const vf values[vectors]) {
  vi largest{};
  for (int v = 0; v < vectors; v++) {
    const vi bits = bitsOf(values[v]) & 0x7fffffff;
    largest = bits > largest ? bits : largest;
  }
  int32_t bits = 0;
  for (int i = 0; i < VW; i++) bits = max(bits, largest[i]);
  float result;
  memcpy(&result, &bits, 4);
  return result;
}

/** floor(x / step + 0.5); the result of each half's sum, as step · sum or −zero · sum. */
void roundBlock(const vf values[vectors], const SumForm& form, ActivationBlock& out) {
  const float step = largestMagnitude(values) * (1.0f / 127);
  const bool isFinite = step < __builtin_inff();
  const float divisor = isFinite && step != 0 ? step : 1;
  int32_t sums[2] = {};
  for (int v = 0; v < vectors; v++) {
    vi quants{};
    if (isFinite) {
      const vf shifted = values[v] / splat(divisor) + splat(0.5f);
      quants = toInt(shifted);
      quants += toFloat(quants) > shifted;  // −1 where truncation went up
    }
    const signedBytes bytes = __builtin_convertvector(quants, signedBytes);
    memcpy(out.quants + v * VW, &bytes, VW);
    sums[v * 2 / vectors] += lanesSum(quants);
  }
  out.step = isFinite ? step : __builtin_nanf("");
  if (form.halves == 1) sums[0] += sums[1];
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
