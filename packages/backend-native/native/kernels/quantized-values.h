// Interleaved blocks as float32: columns of rows in either order. Bit-equal to ggml's values.
#pragma once
#include "quantized-format.h"

namespace weft::WEFT_ISA {

/** Writes the values of rows row0 … row1, columns column0 … column1: column c of row r goes to (c − column0) · stride + r − row0. */
void valuesByColumn(const QuantizedMatrix& matrix, int64_t column0, int64_t column1, int64_t row0, int64_t row1, float* out, int64_t stride);

/** The same with (r − row0) · stride + c − column0. */
void valuesByRow(const QuantizedMatrix& matrix, int64_t row0, int64_t row1, int64_t column0, int64_t column1, float* out, int64_t stride);

}  // namespace weft::WEFT_ISA
