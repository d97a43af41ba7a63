#include "attention-tiles.h"

namespace weft::WEFT_ISA {
namespace {

#if WEFT_LEVEL == 2 || (WEFT_LEVEL == 0 && defined(__aarch64__))
constexpr int maxRows = 12;  // 24 sums, 2 vectors of b, and room for broadcasts: 32 registers
#else
constexpr int maxRows = 6;  // 12 sums of 16 registers
#endif

enum class Form : int { rows, columns };

/** The next row, without the compiler making all rows' addresses beforehand, for which it has no registers. */
template <class T> WEFT_INLINE T* next(T* row, int64_t stride) {
  row += stride;
  asm("" : "+r"(row));
  return row;
}

template <Form form, int R, int V> void tile(int64_t steps, Scalars a, Scalars b, float* d, int64_t dStride, Into into, const float* factors) {
  vf sums[R][V] = {};
  if (into == Into::add) {
    vf factor[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) factor[v] = factors == nullptr ? splat(1.0f) : load(factors + v * VW);
    const float* at = d;
#pragma GCC unroll 16
    for (int i = 0; i < R; i++, at = next(at, dStride))
#pragma GCC unroll 4
      for (int v = 0; v < V; v++) sums[i][v] = load(at + v * VW) * factor[v];
  }
  const float* from = a.data;
  const float* columns = b.data;
  for (int64_t p = 0; p < steps; p++) {
    vf column[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) column[v] = load(columns + v * VW);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const vf scalar = splat(form == Form::rows ? from[i * a.stride] : from[i]);
#pragma GCC unroll 4
      for (int v = 0; v < V; v++) sums[i][v] = multiplyAdd(scalar, column[v], sums[i][v]);
    }
    from += form == Form::rows ? 1 : a.stride;
    columns += b.stride;
  }
#pragma GCC unroll 16
  for (int i = 0; i < R; i++, d = next(d, dStride))
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) store(d + v * VW, sums[i][v]);
}

using Tile = void (*)(int64_t, Scalars, Scalars, float*, int64_t, Into, const float*);

template <Form form, int V, int R = maxRows> Tile pick(int rows) {
  if constexpr (R == 1) return tile<form, 1, V>;
  else return rows == R ? tile<form, R, V> : pick<form, V, R - 1>(rows);
}

template <Form form> void product(int64_t rows, int vectors, int64_t steps, Scalars a, Scalars b, float* d, int64_t dStride, Into into, const float* factors) {
  if (rows == 0) return;
  const int64_t height = ceilDiv(rows, ceilDiv(rows, maxRows));  // tiles of about one height: a low one would wait for its own sums
  for (int v = 0; v < vectors; v += laneVectors) {
    const bool isPair = vectors - v >= 2;
    for (int64_t i = 0; i < rows; i += height) {
      const int count = static_cast<int>(min(height, rows - i));
      const Tile make = isPair ? pick<form, 2>(count) : pick<form, 1>(count);
      make(steps, {a.data + (form == Form::rows ? i * a.stride : i), a.stride}, {b.data + v * VW, b.stride}, d + i * dStride + v * VW, dStride, into, factors == nullptr ? nullptr : factors + v * VW);
    }
  }
}

}  // namespace

void productOfRows(int64_t rows, int vectors, int64_t steps, Scalars a, Scalars b, float* d, int64_t dStride, Into into) {
  product<Form::rows>(rows, vectors, steps, a, b, d, dStride, into, nullptr);
}

void productOfColumns(int64_t rows, int vectors, int64_t steps, Scalars a, Scalars b, float* d, int64_t dStride, Into into, const float* factors) {
  product<Form::columns>(rows, vectors, steps, a, b, d, dStride, into, factors);
}

}  // namespace weft::WEFT_ISA
