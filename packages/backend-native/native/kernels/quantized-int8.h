// Products of int8 activations with quantized weights in integers: a few rows of activations meet the interleaved blocks as they stream
// by, many rows share blocks that have been expanded to bytes. Each output is summed block by block in float32 with the same steps either way, so that rows
// have the same bits whatever the batch.
#pragma once
#include "quantized-format.h"

namespace weft::WEFT_ISA {

/** 32 activations of a row as int8 multiples of a step. */
struct ActivationBlock {
  int8_t quants[subBlockColumns];
  float step;
  /** For formats with offsets step · Σ quants, for others −zero · Σ quants: of all 32, or of each 16 where scales are for 16 columns. */
  union {
    float sums[2];
    int32_t starts[2];
  };
};

#if WEFT_LEVEL == 2
constexpr int rowsPerTile = 6;
constexpr int rowsPerStreamLog = 3;
#else
constexpr int rowsPerTile = 3;
constexpr int rowsPerStreamLog = 2;
#endif
/** Up to so many rows read the interleaved blocks as they stream by; more share blocks that have been expanded to bytes. */
constexpr int64_t mostStreamedRows = 8;

/** An expanded weight is read in parts of VW rows, two at a time. */
constexpr int64_t tileOutputs = 2 * VW;

/** The kernels of one format on this processor. */
struct Int8Kernels {
  /** [i]: VW outputs of 2^i rows of activations: block b of row r at x[b · stride + r], its outputs at out + r · groupRows. What
   *  follows the group up to `end` is fetched ahead. */
  void (*stream[rowsPerStreamLog + 1])(const uint8_t* group, const uint8_t* end, int64_t blocks, int part, const ActivationBlock* x, int64_t stride, float* out);
  /** Sub-blocks from … to of a part as bytes, scales and offsets: `expandedBytes` each. */
  void (*expand)(const uint8_t* group, int64_t blocks, int64_t from, int64_t to, int part, uint8_t* out);
  int64_t expandedBytes;
  /**
   * [rows − 1]: tileOutputs outputs of some rows of activations, whose blocks lie side by side (block b of row r at b · rows + r).
   * `out` is set where `isFirst`, else added to: [rows, tileOutputs] with a stride.
   */
  void (*tile[rowsPerTile])(const uint8_t* first, const uint8_t* second, int64_t subBlocks, const ActivationBlock* x, bool isFirst, float* out, int64_t stride);
};

/** The best kernels for this processor. */
const Int8Kernels& int8Kernels(QuantizedFormat format);
/** Those that run wherever this level does. */
const Int8Kernels& int8KernelsOfLevel(QuantizedFormat format);

/** out [M, F] = x [M, D] · matrixᵀ with x rounded to int8; float dtypes. */
void quantizedProductInInt8(Run& run, const View& x, const QuantizedMatrix& matrix, const View& out);

}  // namespace weft::WEFT_ISA
