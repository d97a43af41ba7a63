#include "gemm-finish.h"

#include "vector-math.h"

namespace weft::WEFT_ISA {
namespace {

/** e^−|2x| keeps both ends exact: (1 − e) / (1 + e). */
WEFT_INLINE vf tanhOf(vf x) {
  const vf magnitude = floatsOf(bitsOf(x) & 0x7fffffff);
  const vf e = vexp(magnitude * -2.0f);
  const vf large = (1.0f - e) / (1.0f + e);
  // Below 0.3 the difference loses digits: x − x³/3 + 2x⁵/15 − …
  const vf s = x * x;
  const vf series = magnitude + magnitude * s * (-0.333333333f + s * (0.133333333f + s * (-0.0539682540f + s * (0.0218694885f - s * 0.00886323553f))));
  const vf result = select(magnitude < splat(0.3f), series, large);
  return floatsOf((bitsOf(result) & 0x7fffffff) | (bitsOf(x) & static_cast<int32_t>(0x80000000)));
}

/** erfc for z ≥ 0 with a relative error of some 1e-7 (Numerical Recipes 6.2). */
WEFT_INLINE vf erfcOf(vf z) {
  const vf t = 1.0f / (1.0f + 0.5f * z);
  vf p = splat(0.17087277f);
  p = p * t - 0.82215223f;
  p = p * t + 1.48851587f;
  p = p * t - 1.13520398f;
  p = p * t + 0.27886807f;
  p = p * t - 0.18628806f;
  p = p * t + 0.09678418f;
  p = p * t + 0.37409196f;
  p = p * t + 1.00002368f;
  p = p * t - 1.26551223f;
  return t * vexp(p - z * z);
}

WEFT_INLINE vf activate(Activation activation, vf x) {
  switch (activation) {
    case Activation::gelu: {
      const vf z = x * 0.70710678118654752f;
      const vf tail = erfcOf(floatsOf(bitsOf(z) & 0x7fffffff)) * 0.5f;
      return x * select(x < splat(0), tail, 1.0f - tail);
    }
    case Activation::geluTanh: return x * (0.5f + 0.5f * tanhOf(x * (0.79788456080286536f + 0.035677408136300125f * x * x)));
    case Activation::silu: return x / (1.0f + vexp(-x));
    case Activation::relu: return select(x != x, x, vmax(x, splat(0)));
    default: return x;
  }
}

template <class T, class B> void finish(const Gemm& call, int64_t row, int64_t column, int rows, int64_t columns, const float* sums, int64_t sumStride) {
  for (int i = 0; i < rows; i++) {
    T* out = static_cast<T*>(call.c) + (row + i) * call.cStride + column;
    T* before = call.preactivation == nullptr ? nullptr : static_cast<T*>(call.preactivation) + (row + i) * call.cStride + column;
    const T* residual = call.residual == nullptr ? nullptr : static_cast<const T*>(call.residual) + (row + i) * call.residualStride + column;
    const B* bias = call.bias == nullptr ? nullptr : static_cast<const B*>(call.bias) + column;
    for (int64_t j = 0; j < columns; j += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, columns - j));
      vf x = loadAs(sums + i * sumStride + j, n);
      if (bias != nullptr) x += loadAs(bias + j, n);
      if (before != nullptr) storeAs(before + j, x, n);
      x = activate(call.activation, x);
      if (residual != nullptr) x += loadAs(residual + j, n);
      storeAs(out + j, x, n);
    }
  }
}

}  // namespace

void finishTile(const Gemm& call, int64_t row, int64_t column, int rows, int64_t columns, const float* sums, int64_t sumStride) {
  withFloatType(call.cType, "gemm", [&]<class T>(T*) {
    withFloatType(call.biasType, "gemm", [&]<class B>(B*) { finish<T, B>(call, row, column, rows, columns, sums, sumStride); });
  });
}

void loadTile(const Gemm& call, int64_t row, int64_t column, int rows, int64_t columns, float* out, int64_t outStride) {
  withFloatType(call.cType, "gemm", [&]<class T>(T*) {
    for (int i = 0; i < rows; i++) {
      const T* from = static_cast<const T*>(call.c) + (row + i) * call.cStride + column;
      for (int64_t j = 0; j < columns; j += VW) {
        const int n = static_cast<int>(min<int64_t>(VW, columns - j));
        storeAs(out + i * outStride + j, loadAs(from + j, n), n);
      }
    }
  });
}

}  // namespace weft::WEFT_ISA
