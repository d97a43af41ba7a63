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

template <Activation activation> WEFT_INLINE vf activate(vf x) {
  if constexpr (activation == Activation::gelu) {
    const vf z = x * 0.70710678118654752f;
    const vf tail = erfcOf(floatsOf(bitsOf(z) & 0x7fffffff)) * 0.5f;
    return x * select(x < splat(0), tail, 1.0f - tail);
  } else if constexpr (activation == Activation::geluTanh) {
    return x * (0.5f + 0.5f * tanhOf(x * (0.79788456080286536f + 0.035677408136300125f * x * x)));
  } else if constexpr (activation == Activation::silu) {
    return x / (1.0f + vexp(-x));
  } else if constexpr (activation == Activation::relu) {
    return select(x != x, x, vmax(x, splat(0)));
  } else {
    return x;
  }
}

template <class F> WEFT_INLINE void withActivation(Activation activation, const F& body) {
  switch (activation) {
    case Activation::none: return body.template operator()<Activation::none>();
    case Activation::gelu: return body.template operator()<Activation::gelu>();
    case Activation::geluTanh: return body.template operator()<Activation::geluTanh>();
    case Activation::silu: return body.template operator()<Activation::silu>();
    case Activation::relu: return body.template operator()<Activation::relu>();
  }
}

/** Rows of c, residual and preactivation at a tile's place. */
template <class T> struct Destination {
  T* c;
  T* preactivation;
  const T* residual;
  int64_t cStride, residualStride;

  Destination(const Gemm& call, const TilePlace& place)
      : c(static_cast<T*>(call.c) + place.row * call.cStride + place.column),
        preactivation(call.preactivation == nullptr ? nullptr : static_cast<T*>(call.preactivation) + place.row * call.cStride + place.column),
        residual(call.residual == nullptr ? nullptr : static_cast<const T*>(call.residual) + place.row * call.residualStride + place.column),
        cStride(call.cStride),
        residualStride(call.residualStride) {}

  void nextRow() {
    c += cStride;
    if (preactivation != nullptr) preactivation += cStride;
    if (residual != nullptr) residual += residualStride;
  }
};

// The scale of a chunk and the sum of chunks, in one place and said outright, so that they round alike on every path.
WEFT_INLINE vf scaled(float scale, vf product) { return scale == 1 ? product : product * scale; }
WEFT_INLINE vf gathered(float scale, vf product, vf before) { return scale == 1 ? before + product : multiplyAdd(splat(scale), product, before); }

/** One row; `bias` as float32. */
template <Activation activation, class T>
WEFT_INLINE void finishPart(float scale, const Destination<T>& to, const float* product, const float* before, const float* bias, int j, int n) {
  vf x = loadAs(product + j, n);
  x = before == nullptr ? scaled(scale, x) : gathered(scale, x, loadAs(before + j, n));
  if (bias != nullptr) x = x + loadAs(bias + j, n);
  if (to.preactivation != nullptr) storeAs(to.preactivation + j, x, n);
  x = activate<activation>(x);
  if (to.residual != nullptr) x = x + loadAs(to.residual + j, n);
  storeAs(to.c + j, x, n);
}

template <Activation activation, class T>
void finishRows(float scale, const TilePlace& place, Destination<T> to, const float* product, int64_t stride, const float* before, int64_t beforeStride, const float* bias) {
  for (int i = 0; i < place.rows; i++, to.nextRow()) {
    int j = 0;
    for (; j + VW <= place.columns; j += VW) finishPart<activation>(scale, to, product, before, bias, j, VW);
    if (j < place.columns) finishPart<activation>(scale, to, product, before, bias, j, place.columns - j);
    product += stride;
    if (before != nullptr) before += beforeStride;
  }
}

void loadBias(const Gemm& call, const TilePlace& place, float* out) {
  withFloatType(call.biasType, "gemm", [&]<class B>(B*) {
    const B* from = static_cast<const B*>(call.bias) + place.column;
    for (int j = 0; j < place.columns; j += VW) {
      const int n = min(VW, place.columns - j);
      storeAs(out + j, loadAs(from + j, n), n);
    }
  });
}

}  // namespace

void finishTile(const Gemm& call, const TilePlace& place, const float* product, int64_t stride, const float* before, int64_t beforeStride) {
  float biasOfTile[wideColumns];
  if (call.bias != nullptr) loadBias(call, place, biasOfTile);
  const float* bias = call.bias == nullptr ? nullptr : biasOfTile;
  withFloatType(call.cType, "gemm", [&]<class T>(T*) {
    withActivation(call.activation, [&]<Activation activation>() {
      finishRows<activation>(call.scale, place, Destination<T>(call, place), product, stride, before, beforeStride, bias);
    });
  });
}

void gatherTile(float scale, TileTarget target, const TilePlace& place, const float* product, int64_t stride, float* sums, int64_t sumStride) {
  for (int i = 0; i < place.rows; i++) {
    for (int j = 0; j < place.columns; j += VW) {
      const int n = min(VW, place.columns - j);
      const vf x = loadAs(product + i * stride + j, n);
      float* at = sums + i * sumStride + j;
      storeAs(at, target == TileTarget::add ? gathered(scale, x, loadAs(at, n)) : scaled(scale, x), n);
    }
  }
}

void loadTile(const Gemm& call, const TilePlace& place, float* out, int64_t outStride) {
  withFloatType(call.cType, "gemm", [&]<class T>(T*) {
    for (int i = 0; i < place.rows; i++) {
      const T* from = static_cast<const T*>(call.c) + (place.row + i) * call.cStride + place.column;
      for (int j = 0; j < place.columns; j += VW) {
        const int n = min(VW, place.columns - j);
        storeAs(out + i * outStride + j, loadAs(from + j, n), n);
      }
    }
  });
}

}  // namespace weft::WEFT_ISA
