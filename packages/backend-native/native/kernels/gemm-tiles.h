// The register tile of the matrix product: TILE_ROWS × TILE_COLUMNS sums in registers, one multiply-add each per step of k, in ascending k.
// Whatever path a product takes, its sums are made here, so that they have the same bits everywhere.
#pragma once
#include "gemm.h"

namespace weft::WEFT_ISA {

#if WEFT_LEVEL == 2 || (WEFT_LEVEL == 0 && defined(__aarch64__))
constexpr int tileRows = 12;  // 24 sums, 2 vectors of b, and room for broadcasts: 32 registers
#else
constexpr int tileRows = 6;  // 12 sums of 16 registers
#endif
constexpr int tileVectors = 2;
constexpr int tileColumns = tileVectors * VW;

/** Sums of this many steps of k are made in registers, then added up in ascending order. Part of the definition of the result. */
constexpr int64_t chunkSteps = 384;

/** How the rows of a lie: `panel` element (i, p) at p · stride + i; `rows` at i · stride + p. */
enum class AForm : int { panel, rows };

enum class TileTarget : int { set, add };

/**
 * d[i · dStride + j] = or += Σ a(i, p) · b[p · bStride + j] for i < R, j < tileColumns, p < steps.
 * All of the columns are read and written.
 */
template <int R, AForm form>
void tileProduct(int64_t steps, const float* a, int64_t aStride, const float* b, int64_t bStride, float* d, int64_t dStride, TileTarget target) {
  vf sums[R][tileVectors] = {};
  for (int64_t p = 0; p < steps; p++) {
    vf columns[tileVectors];
#pragma GCC unroll 4
    for (int v = 0; v < tileVectors; v++) columns[v] = load(b + v * VW);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const vf row = splat(form == AForm::panel ? a[i] : a[i * aStride]);
#pragma GCC unroll 4
      for (int v = 0; v < tileVectors; v++) sums[i][v] = multiplyAdd(row, columns[v], sums[i][v]);
    }
    a += form == AForm::panel ? aStride : 1;
    b += bStride;
  }
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < tileVectors; v++) {
      float* at = d + i * dStride + v * VW;
      store(at, target == TileTarget::add ? load(at) + sums[i][v] : sums[i][v]);
    }
  }
}

using TileProduct = void (*)(int64_t, const float*, int64_t, const float*, int64_t, float*, int64_t, TileTarget);

/** The tile for 1 … tileRows rows. */
TileProduct tileProductFor(AForm form, int rows);

}  // namespace weft::WEFT_ISA
