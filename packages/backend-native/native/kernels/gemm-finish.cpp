#include "gemm-finish.h"

#include "activations.h"

namespace weft::WEFT_ISA {
namespace {

struct Identity {
  static WEFT_INLINE vf value(vf x) { return x; }
};

/** Calls body with a value of the type that has the activation's `value`. */
template <class F> WEFT_INLINE void withActivation(Activation activation, const F& body) {
  switch (activation) {
    case Activation::none: return body(Identity{});
    case Activation::gelu: return body(GeluExact{});
    case Activation::geluTanh: return body(GeluTanh{});
    case Activation::silu: return body(Silu{});
    case Activation::relu: return body(Relu{});
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
template <class F, class T>
WEFT_INLINE void finishPart(float scale, const Destination<T>& to, const float* product, const float* before, const float* bias, int j, int n) {
  vf x = loadAs(product + j, n);
  x = before == nullptr ? scaled(scale, x) : gathered(scale, x, loadAs(before + j, n));
  if (bias != nullptr) x = x + loadAs(bias + j, n);
  if (to.preactivation != nullptr) storeAs(to.preactivation + j, x, n);
  x = F::value(x);
  if (to.residual != nullptr) x = x + loadAs(to.residual + j, n);
  storeAs(to.c + j, x, n);
}

template <class F, class T>
void finishRows(float scale, const TilePlace& place, Destination<T> to, const float* product, int64_t stride, const float* before, int64_t beforeStride, const float* bias) {
  for (int i = 0; i < place.rows; i++, to.nextRow()) {
    int j = 0;
    for (; j + VW <= place.columns; j += VW) finishPart<F>(scale, to, product, before, bias, j, VW);
    if (j < place.columns) finishPart<F>(scale, to, product, before, bias, j, place.columns - j);
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
    withActivation(call.activation, [&]<class F>(F) {
      finishRows<F>(call.scale, place, Destination<T>(call, place), product, stride, before, beforeStride, bias);
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
