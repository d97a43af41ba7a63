// What is done to sums before they are written: scale, bias, activation, residual, conversion.
#pragma once
#include "gemm-tiles.h"

namespace weft::WEFT_ISA {

/** sums [rows, columns] of c's block at (row, column): everything of `call` but the product. Sums are already scaled and accumulated. */
void finishTile(const Gemm& call, int64_t row, int64_t column, int rows, int64_t columns, const float* sums, int64_t sumStride);

/** The elements of c's block as float32. */
void loadTile(const Gemm& call, int64_t row, int64_t column, int rows, int64_t columns, float* out, int64_t outStride);

}  // namespace weft::WEFT_ISA
