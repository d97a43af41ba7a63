// What is done to sums before they are written: scale, bias, activation, residual, conversion.
#pragma once
#include "gemm-tiles.h"

namespace weft::WEFT_ISA {

/** A part of c. */
struct TilePlace {
  int64_t row, column;
  int rows, columns;
};

/**
 * Everything of `call` but the product, for one tile whose last chunk of k is `product`, [rows][stride]. `before`: the sum of the chunks
 * before it, or null.
 */
void finishTile(const Gemm& call, const TilePlace& place, const float* product, int64_t stride, const float* before, int64_t beforeStride);

/** sums = or += scale · product for one tile, in the place where its chunks gather. */
void gatherTile(float scale, TileTarget target, const TilePlace& place, const float* product, int64_t stride, float* sums, int64_t sumStride);

/** c as float32, which a product with `accumulate` starts from. */
void loadTile(const Gemm& call, const TilePlace& place, float* out, int64_t outStride);

}  // namespace weft::WEFT_ISA
