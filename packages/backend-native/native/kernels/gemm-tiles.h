// The register tile of the matrix product: a few rows times a few vectors of columns, one multiply-add a step of k for each sum, in
// ascending k. Whatever way a product takes, its sums are made here, so that they have the same bits everywhere.
#pragma once
#include "gemm.h"

namespace weft::WEFT_ISA {

#if WEFT_LEVEL == 2 || (WEFT_LEVEL == 0 && defined(__aarch64__))
constexpr int tileRows = 12;  // 24 sums, 2 vectors of b, and room for broadcasts: 32 registers
constexpr int wideRows = 4;
#else
constexpr int tileRows = 6;  // 12 sums of 16 registers
constexpr int wideRows = 2;
#endif
constexpr int tileVectors = 2;
constexpr int tileColumns = tileVectors * VW;
/** For few rows: longer pieces of each row of b, which then comes from memory. */
constexpr int wideVectors = 4;
constexpr int wideColumns = wideVectors * VW;

/**
 * Sums of so many steps are made in registers; such chunks are then added up in ascending order. Part of the definition of the result:
 * another number gives other bits. A chunk of a panel of b lies in the caches next to the core.
 */
constexpr int64_t chunkSteps = 512;

/** A step of k is one float32 of a row, or two bfloat16 side by side, which one instruction multiplies and adds up in float32. */
enum class StepKind : int { floats, pairs };

/** How rows of a lie: `panel` has the rows of a step side by side, element (i, p) at p · stride + i; `rows` at i · stride + p. */
enum class AForm : int { panel, rows };

enum class TileTarget : int { set, add };

/**
 * d[i · dStride + j] = or += Σ a(i, p) · b[p · bStride + j] over p < steps, for all rows and columns of the tile. a and b consist of
 * 32-bit steps, whichever their kind; strides count them.
 */
using TileProduct = void (*)(int64_t steps, const float* a, int64_t aStride, const float* b, int64_t bStride, float* d, int64_t dStride, TileTarget target);

/** rows 1 … tileRows; vectors 1 or 2, or wideVectors for up to wideRows rows. */
TileProduct tileProductFor(StepKind kind, AForm form, int rows, int vectors);

}  // namespace weft::WEFT_ISA
