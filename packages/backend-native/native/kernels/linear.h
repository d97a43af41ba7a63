// What linear and its gradient share: sizes, the weight's two layouts, checks.
#pragma once
#include "gemm.h"

namespace weft::WEFT_ISA {

/** x [rows, inputs], weight [outputs, inputs] or, `isInOut`, [inputs, outputs]. */
struct LinearSizes {
  int64_t rows, inputs, outputs;
  bool isInOut;
};

/** Reads the attribute `layout`. */
WEFT_INLINE LinearSizes linearSizes(Run& run, const View& x, const View& weight, Attributes& attributes) {
  const bool isInOut = attributes.integer() == 1;
  if (weight.rank != 2 || x.rank < 1) fail("%s: expected a weight of rank 2 and x of rank 1 or more", run.operation());
  const LinearSizes sizes{x.rows(), x.last(), weight.dims[isInOut ? 1 : 0], isInOut};
  if (weight.dims[isInOut ? 0 : 1] != sizes.inputs) fail("%s: x and weight do not fit", run.operation());
  return sizes;
}

WEFT_INLINE Activation activationOf(Attributes& attributes) {
  const int64_t index = attributes.integer();
  if (index < 0 || index > static_cast<int64_t>(Activation::relu)) fail("linear: no such activation");
  return static_cast<Activation>(index);
}

WEFT_INLINE void requireFloats(Run& run, const View& view, int64_t size, DType dtype) {
  if (view.size != size || view.dtype != dtype || dtype == DType::i32 || dtype == DType::u8) {
    fail("%s: a tensor of %lld elements does not fit", run.operation(), static_cast<long long>(view.size));
  }
}

WEFT_INLINE MatrixRef rowMajor(const View& view, int64_t columns) { return {view.data, view.dtype, columns, 1}; }

/** The weight as [outputs, inputs]. */
WEFT_INLINE MatrixRef weightOf(const View& weight, const LinearSizes& sizes) {
  return {weight.data, weight.dtype, sizes.isInOut ? 1 : sizes.inputs, sizes.isInOut ? sizes.outputs : 1};
}

WEFT_INLINE MatrixRef transposed(const MatrixRef& matrix) { return {matrix.data, matrix.dtype, matrix.columnStride, matrix.rowStride}; }

}  // namespace weft::WEFT_ISA
