// Packing: part of a matrix, whatever its strides and dtype, as a panel that the register tile reads from end to end.
#pragma once
#include "gemm-tiles.h"

namespace weft::WEFT_ISA {

/** An operand seen along an index of its own (rows of a, columns of b) and along k, which it has `size` of. */
struct PackSource {
  const void* data;
  DType dtype;
  int64_t indexStride, kStride;
  int64_t size;
  StepKind kind;  // pairs: of bf16
};

/**
 * Writes (index + i, step + p) for i < count, p < steps to out[p · width + i]; zeros for count ≤ i < width. A step beyond the end of k,
 * the second half of the last pair, is zero.
 */
void packPanel(const PackSource& source, int64_t index, int64_t count, int64_t step, int64_t steps, int width, float* out);

}  // namespace weft::WEFT_ISA
