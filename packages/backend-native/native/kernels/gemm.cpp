// Carries out products: units of tiles of rows times panels of columns, over all threads or on one.
#include "gemm.h"

#include "gemm-unit.h"

namespace weft::WEFT_ISA {
namespace {

/** As much of a as is packed at a time. */
constexpr int64_t packedRowsBytes = 8 << 20;
/** Less is not worth a thread. */
constexpr int64_t packedAtOnce = 16 << 10;

Unit unitAt(const Gemm& call, const GemmPlan& plan, const GemmGrid& grid, int64_t index, int64_t firstTile, int64_t tiles) {
  const int64_t down = ceilDiv(tiles, grid.rowTiles);
  const int64_t row = index % down * grid.rowTiles;
  const int64_t column = index / down * grid.panels * tileColumns;
  return {firstTile + row, min(grid.rowTiles, tiles - row), column, min(grid.panels * tileColumns, call.n - column)};
}

/** All units of some tiles of rows, which lie in `rows` from its beginning on. */
void runUnits(Run& run, const Gemm& call, const GemmPlan& plan, const GemmGrid& grid, const TiledRows& rows, int64_t firstTile, int64_t tiles) {
  run.parallel(ceilDiv(tiles, grid.rowTiles) * grid.across, [&](int64_t index, int worker) {
    runUnit(run, worker, call, plan, rows, firstTile, unitAt(call, plan, grid, index, firstTile, tiles));
  });
}

/** Packs a part of a on all threads, multiplies it, and so on. */
void runPacking(Run& run, const Gemm& call, const GemmPlan& plan, const GemmGrid& grid) {
  const int64_t most = max<int64_t>(1, packedRowsBytes / 4 / max<int64_t>(1, floatsOfTile(plan)));
  const int64_t tilesAtOnce = min(most, plan.rowTiles);
  float* memory = run.temporaryOf<float>(tilesAtOnce * floatsOfTile(plan));
  for (int64_t first = 0; first < plan.rowTiles; first += tilesAtOnce) {
    const int64_t tiles = min(tilesAtOnce, plan.rowTiles - first);
    const int64_t grain = max(ceilDiv(tiles, int64_t{4} * run.workers()), ceilDiv(packedAtOnce, max<int64_t>(1, floatsOfTile(plan))));
    run.parallelRanges(tiles, grain, [&](int64_t begin, int64_t end, int) { packTiles(call, plan, first + begin, end - begin, memory + begin * floatsOfTile(plan)); });
    runUnits(run, call, plan, grid, packedRows(plan, memory), first, tiles);
  }
}

void runWhole(Run& run, int worker, const Gemm& call, const GemmPlan& plan) {
  const Unit whole{0, plan.rowTiles, 0, call.n};
  if (plan.packsRows) runUnitPacking(run, worker, call, plan, whole);
  else runUnit(run, worker, call, plan, plan.rows, 0, whole);
}

/** Neither its rows nor its panels want to be divided. */
WEFT_INLINE bool isSmall(const GemmPlan& plan) { return plan.rowTiles * floatsOfTile(plan) * 4 <= packedRowsBytesOfWorker; }

WEFT_INLINE bool isEmpty(const Gemm& call) { return call.m <= 0 || call.n <= 0; }

}  // namespace

void gemm(Run& run, const Gemm& call) {
  if (isEmpty(call)) return;
  const GemmPlan plan = planGemm(call);
  const int64_t wanted = unitsWanted(plan.nanoseconds, run.workers());
  if (wanted == 1 && isSmall(plan)) return runWhole(run, 0, call, plan);
  const GemmGrid grid = gridFor(plan, run.workers(), wanted);
  if (plan.packsRows) runPacking(run, call, plan, grid);
  else runUnits(run, call, plan, grid, plan.rows, 0, plan.rowTiles);
}

void gemmBatch(Run& run, const Gemm* calls, int64_t count) {
  if (count <= 0 || isEmpty(calls[0])) return;
  const double each = planGemm(calls[0]).nanoseconds;
  const int64_t wanted = unitsWanted(each * static_cast<double>(count), run.workers());
  if (count < wanted / 2) {
    for (int64_t i = 0; i < count; i++) gemm(run, calls[i]);
    return;
  }
  run.parallelRanges(count, max<int64_t>(1, count / wanted), [&](int64_t begin, int64_t end, int worker) {
    for (int64_t i = begin; i < end; i++) gemmOnWorker(run, worker, calls[i]);
  });
}

void gemmOnWorker(Run& run, int worker, const Gemm& call) {
  if (isEmpty(call)) return;
  runWhole(run, worker, call, planGemm(call));
}

}  // namespace weft::WEFT_ISA
