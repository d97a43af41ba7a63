// The product with a quantized weight in float32: rows have the same bits whatever the batch.
#pragma once
#include "quantized-format.h"

namespace weft::WEFT_ISA {

/** out [M, F] = x [M, D] · matrixᵀ; float dtypes. */
void quantizedProductInFloat(Run& run, const View& x, const QuantizedMatrix& matrix, const View& out);

}  // namespace weft::WEFT_ISA
