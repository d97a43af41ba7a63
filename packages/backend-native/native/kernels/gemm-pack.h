// Packing: parts of a matrix, whatever its strides and dtype, as panels of float32 that the register tile reads from end to end.
#pragma once
#include "gemm-tiles.h"

namespace weft::WEFT_ISA {

/** One operand seen along its own index (rows of a, columns of b) and along k. */
struct PackSource {
  const void* data;
  DType dtype;
  int64_t indexStride, stepStride;
};

/**
 * Writes elements (first … first + count, step … step + steps) as panels of `width` indices: panel q holds [steps][width], the element
 * (q · width + i, p) at q · width · steps + p · width + i. Where `pads`, the last panel is filled up with zeros, else left as it is.
 */
void packPanels(const PackSource& source, int64_t first, int64_t count, int64_t step, int64_t steps, int width, bool pads, float* out);

}  // namespace weft::WEFT_ISA
