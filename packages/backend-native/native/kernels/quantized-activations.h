// Activations rounded to int8 in blocks of 32.
#pragma once
#include "quantized-int8.h"

namespace weft::WEFT_ISA {

/** How a format's kernels want the sums of a block (ActivationBlock). */
struct SumForm {
  bool isFloat;
  int zero, halves;
};
SumForm sumFormOf(QuantizedFormat format);

/** Rounds one row of `blocks` · 32 values; block b goes to out[b · stride]. */
void roundRow(const View& x, int64_t row, int64_t blocks, const SumForm& form, ActivationBlock* out, int64_t stride);

}  // namespace weft::WEFT_ISA
