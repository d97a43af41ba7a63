// Which parts of a product go where: blocks of c that one worker makes from packed panels.
#include "gemm.h"

#include "gemm-finish.h"
#include "gemm-pack.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t blockRows = tileRows * 12;
constexpr int64_t blockColumns = tileColumns * 16;

struct Block {
  int64_t row, rows, column, columns;
};

struct BlockMemory {
  float* a;      // [panels of rows][chunk]
  float* b;      // [panels of columns][chunk]
  float* sums;   // [rows, columns] between chunks
};

WEFT_INLINE int64_t roundUp(int64_t x, int64_t step) { return ceilDiv(x, step) * step; }

BlockMemory memoryFor(Run& run, int worker, const Gemm& call, const Block& block) {
  const int64_t steps = min(call.k, chunkSteps);
  const int64_t aSize = roundUp(block.rows, tileRows) * steps;
  const int64_t sumSize = block.rows * block.columns;
  float* a = run.scratchOf<float>(worker, 6, roundUp(aSize, 16) + sumSize);
  return {a, run.scratchOf<float>(worker, 7, roundUp(block.columns, tileColumns) * steps), a + roundUp(aSize, 16)};
}

void packColumns(const Gemm& call, const Block& block, int64_t step, int64_t steps, float* out) {
  if (call.source == nullptr) {
    packPanels({call.b.data, call.b.dtype, call.b.columnStride, call.b.rowStride}, block.column, block.columns, step, steps, tileColumns, true, out);
    return;
  }
  for (int64_t j = 0; j < block.columns; j += tileColumns, out += tileColumns * steps) {
    const int64_t columns = min<int64_t>(tileColumns, block.columns - j);
    call.source->unpack(call.source->context, step, step + steps, block.column + j, block.column + j + columns, out, tileColumns);
    for (int64_t p = 0; p < steps && columns < tileColumns; p++)
      for (int64_t i = columns; i < tileColumns; i++) out[p * tileColumns + i] = 0;
  }
}

/** What the sums of a tile start from, and the scale: kept apart from the product so that every path rounds alike. */
WEFT_INLINE void addTile(const Gemm& call, bool isFirst, int rows, int64_t columns, const float* product, float* sums, int64_t sumStride) {
  for (int i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, columns - j));
      const vf x = load(product + i * tileColumns + j);
      float* at = sums + i * sumStride + j;
      const vf scaled = call.scale == 1 ? x : x * call.scale;
      storeAs(at, isFirst ? scaled : loadAs(at, n) + scaled, n);
    }
}

void multiplyBlock(const Gemm& call, const Block& block, const BlockMemory& memory) {
  const int64_t chunks = max<int64_t>(1, ceilDiv(call.k, chunkSteps));
  if (call.accumulate) loadTile(call, block.row, block.column, static_cast<int>(block.rows), block.columns, memory.sums, block.columns);
  for (int64_t chunk = 0; chunk < chunks; chunk++) {
    const int64_t step = chunk * chunkSteps;
    const int64_t steps = min(chunkSteps, call.k - step);
    packPanels({call.a.data, call.a.dtype, call.a.rowStride, call.a.columnStride}, block.row, block.rows, step, steps, tileRows, false, memory.a);
    packColumns(call, block, step, steps, memory.b);
    for (int64_t j = 0; j < block.columns; j += tileColumns) {
      const int64_t columns = min<int64_t>(tileColumns, block.columns - j);
      for (int64_t i = 0; i < block.rows; i += tileRows) {
        const int rows = static_cast<int>(min<int64_t>(tileRows, block.rows - i));
        float product[tileRows * tileColumns];
        tileProductFor(AForm::panel, rows)(steps, memory.a + i * steps, tileRows, memory.b + j * steps, tileColumns, product, tileColumns, TileTarget::set);
        float* sums = memory.sums + i * block.columns + j;
        addTile(call, chunk == 0 && !call.accumulate, rows, columns, product, sums, block.columns);
        if (chunk + 1 == chunks) finishTile(call, block.row + i, block.column + j, rows, columns, sums, block.columns);
      }
    }
  }
}

void multiplyBlocks(Run& run, int worker, const Gemm& call, const Block& block) { multiplyBlock(call, block, memoryFor(run, worker, call, block)); }

}  // namespace

void gemm(Run& run, const Gemm& call) {
  if (call.m == 0 || call.n == 0) return;
  const int64_t down = ceilDiv(call.m, blockRows);
  run.parallel(down * ceilDiv(call.n, blockColumns), [&](int64_t tile, int worker) {
    const int64_t row = tile % down * blockRows;
    const int64_t column = tile / down * blockColumns;
    multiplyBlocks(run, worker, call, {row, min(blockRows, call.m - row), column, min(blockColumns, call.n - column)});
  });
}

void gemmBatch(Run& run, const Gemm* calls, int64_t count) {
  run.parallel(count, [&](int64_t tile, int worker) { gemmOnWorker(run, worker, calls[tile]); });
}

void gemmOnWorker(Run& run, int worker, const Gemm& call) {
  for (int64_t row = 0; row < call.m; row += blockRows)
    for (int64_t column = 0; column < call.n; column += blockColumns)
      multiplyBlocks(run, worker, call, {row, min(blockRows, call.m - row), column, min(blockColumns, call.n - column)});
}

}  // namespace weft::WEFT_ISA
