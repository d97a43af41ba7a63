// One unit on one worker: chunks of k, panels of b and tiles of a in the order that caches like.
#include "gemm-unit.h"

#include "gemm-finish.h"
#include "gemm-prefetch.h"

namespace weft::WEFT_ISA {
namespace {

/** Steps of k, or pairs of steps, whose lines stay in the cache from one tile of rows to the next. */
constexpr int64_t sharedSteps = 32;

/** Steps of rows that the second-level cache holds. */
constexpr int64_t cachedSteps = 256 << 10;

/** Sums of several chunks, in float32 values. */
constexpr int64_t gatheredAtOnce = 1 << 20;

constexpr int rowUse = 6;
constexpr int columnUse = 7;

/** Where the chunks of k gather, [row, column] of the unit: c itself, or float32 memory besides. */
struct Gathering {
  float* sums;
  int64_t stride;
  bool isInC;
};

/** Full rows of float32 in c can hold sums, as long as nothing that is still needed lies there. */
WEFT_INLINE bool gathersInC(const Gemm& call) { return call.cType == DType::f32 && call.residual != call.c; }

/** One panel of b for one chunk. */
struct Columns {
  const float* data;
  int64_t stride;
  int vectors;
};

/** The arguments of one call on one worker, as they pass through the loops. */
struct Work {
  const Gemm& call;
  const GemmPlan& plan;
  const TiledRows& rows;   // of the call or a packed part of it
  int64_t rowTile;         // the tile of the call that `rows` begins with
  float* panel;            // memory for a packed panel of b
  float* sums;             // and for sums that c cannot hold
};

int64_t chunksOf(const GemmPlan& plan) { return max<int64_t>(1, ceilDiv(plan.steps, chunkSteps)); }

void unpackPanel(const PanelSource& source, int64_t step, int64_t steps, int64_t column, int columns, int width, float* out) {
  source.unpack(source.context, step, step + steps, column, column + columns, out, width);
  for (int64_t p = 0; p < steps && columns < width; p++)
    for (int i = columns; i < width; i++) out[p * width + i] = 0;
}

Columns columnsAt(const Work& work, int64_t step, int64_t steps, int64_t column, int columns) {
  const int vectors = static_cast<int>(ceilDiv(columns, VW));
  const int width = vectors * VW;
  const Gemm& call = work.call;
  if (!work.plan.packsColumns && columns == width) {
    return {static_cast<const float*>(call.b.data) + step * call.b.rowStride + column, call.b.rowStride, vectors};
  }
  if (call.source != nullptr) unpackPanel(*call.source, step, steps, column, columns, width, work.panel);
  else packPanel(work.plan.columnSource, column, columns, step, steps, width, work.panel);
  return {work.panel, width, vectors};
}

/** A panel of b in one chunk of k. */
struct Panel {
  int64_t chunk, column;
  int columns;
};

Panel panelAt(const GemmPlan& plan, const Unit& unit, int64_t chunk, int64_t column) {
  const int64_t rest = unit.column + unit.columns - column;
  return {chunk, column, static_cast<int>(min<int64_t>(plan.isWide && rest >= wideColumns ? wideColumns : tileColumns, rest))};
}

/**
 * Where the rows of a stay in the cache whole, a panel of b may be gone through at once, chunk after chunk. Measured: that is faster
 * from memory where b lies along k or is read in place, but not by wide tiles.
 */
WEFT_INLINE bool isAlongK(const GemmPlan& plan, const Unit& unit) {
  if (plan.isWide || (plan.packsColumns && plan.columnSource.kStride != 1)) return false;
  return unit.tiles * plan.rowsPerTile * plan.steps <= cachedSteps;
}

/** The one that follows; without columns at the end. */
Panel panelAfter(const GemmPlan& plan, const Unit& unit, const Panel& panel) {
  const int64_t column = panel.column + panel.columns;
  const bool hasColumns = column < unit.column + unit.columns;
  const bool hasChunks = panel.chunk + 1 < chunksOf(plan);
  const bool isAlong = isAlongK(plan, unit);
  if (hasChunks && (isAlong || !hasColumns)) return panelAt(plan, unit, panel.chunk + 1, isAlong ? panel.column : unit.column);
  if (hasColumns) return panelAt(plan, unit, isAlong ? 0 : panel.chunk, column);
  return {0, 0, 0};
}

PanelPrefetch prefetchOf(const Gemm& call, const GemmPlan& plan, const Unit& unit, const Panel& panel) {
  if (call.source != nullptr || plan.isWide || panel.columns == 0) return {};
  if (plan.columnSource.kStride == 1 && unit.tiles < 4) return {};  // the processor follows them by itself
  const int64_t step = panel.chunk * chunkSteps;
  return {plan.columnSource, step, min(chunkSteps, plan.steps - step), panel.column, panel.columns, unit.tiles};
}

/** One panel for all tiles of the unit, while the next one is on its way. */
void multiplyPanel(const Work& work, const Gathering& gathering, const Unit& unit, const Panel& panel, const Panel& following) {
  const auto [chunk, column, columns] = panel;
  const Gemm& call = work.call;
  const GemmPlan& plan = work.plan;
  const int64_t step = chunk * chunkSteps;
  const int64_t steps = min(chunkSteps, plan.steps - step);
  const bool isLast = chunk + 1 == chunksOf(plan);
  const bool isFirst = chunk == 0 && !call.accumulate;
  const bool hasEnd = call.bias != nullptr || call.activation != Activation::none || call.residual != nullptr || call.preactivation != nullptr;
  const Columns b = columnsAt(work, step, steps, column, columns);
  const bool isPlain = columns == b.vectors * VW && call.scale == 1 && (isLast ? !hasEnd && gathering.isInC : true);
  const TileTarget target = isFirst ? TileTarget::set : TileTarget::add;
  const int64_t stepOffset = work.rows.form == AForm::rows ? step : step * work.rows.stride;
  PanelPrefetch prefetch = prefetchOf(call, plan, unit, following);
  TileProduct tile = nullptr;
  int tileOf = 0;
  for (int64_t t = unit.firstTile; t < unit.firstTile + unit.tiles; t++) {
    const int64_t row = t * plan.rowsPerTile;
    const int rows = static_cast<int>(min<int64_t>(plan.rowsPerTile, call.m - row));
    if (rows != tileOf) {
      tile = tileProductFor(plan.kind, work.rows.form, rows, b.vectors);
      tileOf = rows;
    }
    const float* a = work.rows.data + (t - work.rowTile) * work.rows.tileStep + stepOffset;
    prefetch.next();
    float* sums = gathering.sums + (row - unit.firstTile * plan.rowsPerTile) * gathering.stride + column - unit.column;
    if (isPlain) {
      tile(steps, a, work.rows.stride, b.data, b.stride, sums, gathering.stride, target);
      continue;
    }
    alignas(64) float product[tileRows * tileColumns];
    const int64_t width = b.vectors * VW;
    tile(steps, a, work.rows.stride, b.data, b.stride, product, width, TileTarget::set);
    const TilePlace place{row, column, rows, columns};
    if (isLast) finishTile(call, place, product, width, isFirst ? nullptr : sums, gathering.stride);
    else gatherTile(call.scale, target, place, product, width, sums, gathering.stride);
  }
}

Gathering gatheringFor(const Gemm& call, const GemmPlan& plan, const Unit& unit, float* memory) {
  const int64_t row = unit.firstTile * plan.rowsPerTile;
  if (gathersInC(call)) return {static_cast<float*>(call.c) + row * call.cStride + unit.column, call.cStride, true};
  if (call.accumulate) {
    const int rows = static_cast<int>(min(unit.tiles * plan.rowsPerTile, call.m - row));
    loadTile(call, {row, unit.column, rows, static_cast<int>(unit.columns)}, memory, unit.columns);
  }
  return {memory, unit.columns, false};
}

WEFT_INLINE bool needsSums(const Gemm& call, const GemmPlan& plan) { return !gathersInC(call) && (chunksOf(plan) > 1 || call.accumulate); }

/** Columns of a unit that are finished before the next ones begin: so many that their sums stay in a cache from chunk to chunk. */
int64_t columnsAtOnce(const Gemm& call, const GemmPlan& plan, const Unit& unit) {
  if (chunksOf(plan) == 1 && !needsSums(call, plan)) return unit.columns;
  const int64_t fitting = gatheredAtOnce / (unit.tiles * plan.rowsPerTile) / wideColumns * wideColumns;
  return min(unit.columns, max<int64_t>(wideColumns, fitting));
}

/** Float32 values that a unit of so many tiles, or fewer, needs besides c. */
int64_t sumsOf(const Gemm& call, const GemmPlan& plan, const Unit& unit) {
  if (!needsSums(call, plan)) return 0;
  const int64_t rows = unit.tiles * plan.rowsPerTile;
  return max(rows * wideColumns, min(gatheredAtOnce, rows * unit.columns));
}

void multiplyUnit(const Work& work, const Unit& unit) {
  const int64_t atOnce = columnsAtOnce(work.call, work.plan, unit);
  for (int64_t first = 0; first < unit.columns; first += atOnce) {
    const Unit part{unit.firstTile, unit.tiles, unit.column + first, min(atOnce, unit.columns - first)};
    const Gathering gathering = gatheringFor(work.call, work.plan, part, work.sums);
    for (Panel panel = panelAt(work.plan, part, 0, part.column); panel.columns > 0;) {
      const Panel following = panelAfter(work.plan, part, panel);
      multiplyPanel(work, gathering, part, panel, following);
      panel = following;
    }
  }
}

}  // namespace

void packTiles(const Gemm& call, const GemmPlan& plan, int64_t first, int64_t tiles, float* out) {
  const int64_t atOnce = plan.rowSource.indexStride == 1 ? sharedSteps : max<int64_t>(1, plan.steps);
  for (int64_t step = 0; step < plan.steps; step += atOnce) {
    for (int64_t t = 0; t < tiles; t++) {
      const int64_t row = (first + t) * plan.rowsPerTile;
      float* to = out + t * floatsOfTile(plan) + step * plan.rowsPerTile;
      packPanel(plan.rowSource, row, min<int64_t>(plan.rowsPerTile, call.m - row), step, min(atOnce, plan.steps - step), plan.rowsPerTile, to);
    }
  }
}

void runUnit(Run& run, int worker, const Gemm& call, const GemmPlan& plan, const TiledRows& rows, int64_t rowTile, const Unit& unit) {
  float* panel = run.scratchOf<float>(worker, columnUse, chunkSteps * tileColumns);
  const int64_t sums = sumsOf(call, plan, unit);
  float* memory = sums == 0 ? nullptr : run.scratchOf<float>(worker, rowUse, sums);
  multiplyUnit({call, plan, rows, rowTile, panel, memory}, unit);
}

void runUnitPacking(Run& run, int worker, const Gemm& call, const GemmPlan& plan, const Unit& unit) {
  float* panel = run.scratchOf<float>(worker, columnUse, chunkSteps * tileColumns);
  const int64_t most = max<int64_t>(1, packedRowsBytesOfWorker / 4 / max<int64_t>(1, floatsOfTile(plan)));
  const int64_t tilesAtOnce = min(most, unit.tiles);
  const int64_t packed = ceilDiv(tilesAtOnce * floatsOfTile(plan), VW) * VW;
  Unit part = unit;
  part.tiles = tilesAtOnce;
  float* memory = run.scratchOf<float>(worker, rowUse, packed + sumsOf(call, plan, part));
  const TiledRows rows = packedRows(plan, memory);
  for (int64_t first = 0; first < unit.tiles; first += tilesAtOnce) {
    part.firstTile = unit.firstTile + first;
    part.tiles = min(tilesAtOnce, unit.tiles - first);
    packTiles(call, plan, part.firstTile, part.tiles, memory);
    multiplyUnit({call, plan, rows, part.firstTile, panel, memory + packed}, part);
  }
}

}  // namespace weft::WEFT_ISA
