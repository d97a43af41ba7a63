// What one worker does of a product in one go.
#pragma once
#include "gemm-plan.h"

namespace weft::WEFT_ISA {

/** As much of a as one worker packs for itself at a time. */
constexpr int64_t packedRowsBytesOfWorker = 1 << 20;

/** Tiles of rows times some columns. */
struct Unit {
  int64_t firstTile, tiles;
  int64_t column, columns;
};

WEFT_INLINE int64_t floatsOfTile(const GemmPlan& plan) { return plan.rowsPerTile * plan.steps; }

/** Tiles of rows over all of k: [tiles][steps][rowsPerTile]. */
void packTiles(const Gemm& call, const GemmPlan& plan, int64_t first, int64_t tiles, float* out);

/** Rows that lie as packTiles has left them. */
WEFT_INLINE TiledRows packedRows(const GemmPlan& plan, const float* data) { return {AForm::panel, data, plan.rowsPerTile, floatsOfTile(plan)}; }

/** `rows` begins with the tile `rowTile` of the call: a itself, or packed. */
void runUnit(Run& run, int worker, const Gemm& call, const GemmPlan& plan, const TiledRows& rows, int64_t rowTile, const Unit& unit);

/** The worker packs the unit's rows itself, a part at a time. */
void runUnitPacking(Run& run, int worker, const Gemm& call, const GemmPlan& plan, const Unit& unit);

}  // namespace weft::WEFT_ISA
