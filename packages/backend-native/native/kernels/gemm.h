// The matrix product that other kernels build on: packed panels, register tiles, sums in float32. c = activation(scale · a·b + bias) + residual.
//
// Every output is summed over k in one fixed order that depends on n and k alone, never on m, on the place in the batch or on the
// number of threads: rows have the same bits whatever the batch.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

/** Element (i, j) lies at i · rowStride + j · columnStride, counted in elements. f32, bf16 or f16. */
struct MatrixRef {
  const void* data;
  DType dtype;
  int64_t rowStride, columnStride;
};

/** The order of `activations` in src/operations/products.ts. */
enum class Activation : int { none, gelu, geluTanh, silu, relu };

/**
 * A right-hand side that is unpacked while it is packed (quantized weights): writes b[k0 … k1, n0 … n1) as float32 into `panel`, row-major
 * with `panelStride` floats a row. Called from any worker.
 */
struct PanelSource {
  void (*unpack)(const void* context, int64_t k0, int64_t k1, int64_t n0, int64_t n1, float* panel, int64_t panelStride);
  const void* context;
};

struct Gemm {
  int64_t m, n, k;
  MatrixRef a;                          // [m, k]
  MatrixRef b;                          // [k, n]; unused where `source` is set
  const PanelSource* source = nullptr;
  void* c = nullptr;                    // [m, n], columnStride 1
  DType cType = DType::f32;
  int64_t cStride = 0;
  float scale = 1;
  bool accumulate = false;              // c += …; no activation then
  const void* bias = nullptr;           // [n]
  DType biasType = DType::f32;
  Activation activation = Activation::none;
  const void* residual = nullptr;       // [m, n] with residualStride, of cType
  int64_t residualStride = 0;
  void* preactivation = nullptr;        // [m, n] with cStride, of cType: what came before the activation
};

/** On all threads; called by the conductor, outside of parallel bodies. */
void gemm(Run& run, const Gemm& call);

/** The same products for `count` calls of one shape in a single parallel region: batches of small matrices. */
void gemmBatch(Run& run, const Gemm* calls, int64_t count);

/** On the calling worker alone, for use inside parallel bodies. It uses its scratch memory of use 6 and 7; callers keep off these. */
void gemmOnWorker(Run& run, int worker, const Gemm& call);

}  // namespace weft::WEFT_ISA
