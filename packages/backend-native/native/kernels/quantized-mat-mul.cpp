// quantizedMatMul: which path an attribute chooses, and for the integer one how activations and outputs are shared out.
#include "quantized-activations.h"
#include "quantized-float.h"

namespace weft::WEFT_ISA {
namespace {

/** Sub-blocks of a weight that are expanded at a time: some 160 kB, which a second-level cache keeps. */
constexpr int64_t chunkSubBlocks = 128;
/** Activations that a tile of work meets, in bytes of blocks: what stays in the second-level cache beside them. */
constexpr int64_t rowBlockBytes = 384 << 10;
/** Bytes of weights that one claim of a thread streams, where there are few rows. */
constexpr int64_t claimBytes = 32 << 10;

struct Int8Call {
  const QuantizedMatrix& matrix;
  const Int8Kernels& kernels;
  const View& out;
  int64_t rows;
  const ActivationBlock* x;  // in tiles

  /** A few rows are one tile. */
  static int64_t rowsPerTileOf(int64_t rows) { return rows <= mostStreamedRows ? rows : rowsPerTile; }
  int64_t rowsOfTile(int64_t tile) const { return min<int64_t>(rowsPerTile, rows - tile * rowsPerTile); }
  const ActivationBlock* blocksOfTile(int64_t tile) const { return x + tile * rowsPerTile * matrix.subBlocks(); }
};

ActivationBlock* roundActivations(Run& run, const View& x, const QuantizedMatrix& matrix, int64_t rows) {
  const int64_t blocks = matrix.subBlocks();
  const int64_t perTile = Int8Call::rowsPerTileOf(rows);
  ActivationBlock* out = run.temporaryOf<ActivationBlock>(rows * blocks);
  const SumForm form = sumFormOf(matrix.format);
  const int64_t grain = max<int64_t>(1, (1 << 14) / max<int64_t>(1, matrix.width));
  run.parallelRanges(rows, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t first = row / perTile * perTile;
      roundRow(x, row, blocks, form, out + first * blocks + row - first, min(perTile, rows - first));
    }
  });
  return out;
}

/** Sums to the output's dtype. */
void writeOutputs(const View& out, int64_t row, int64_t column, int64_t count, const float* sums) {
  withFloatType(out.dtype, "quantizedMatMul", [&]<class T>(T*) {
    T* to = out.as<T>() + row * out.last() + column;
    for (int64_t i = 0; i < count; i += VW) storeAs(to + i, load(sums + i), static_cast<int>(min<int64_t>(VW, count - i)));
  });
}

/** The outputs of a group for all rows of the only tile: as many rows at a time as a kernel takes. Groups up to endGroup follow. */
void streamGroup(const Int8Call& call, int64_t group, int64_t endGroup, float* sums) {
  const QuantizedMatrix& matrix = call.matrix;
  const int64_t groupBytes = groupRows * matrix.rowBytes();
  const uint8_t* data = matrix.group(group);
  const int64_t following = data == matrix.tail ? 1 : min(endGroup, matrix.rows / groupRows) - group;
  for (int64_t row = 0; row < call.rows;) {
    int log = rowsPerStreamLog;
    while (row + (1 << log) > call.rows) log--;
    for (int part = 0; part < groupRows / VW; part++) {
      call.kernels.stream[log](data, data + following * groupBytes, matrix.blocks(), part, call.x + row, call.rows, sums + row * groupRows + part * VW);
    }
    row += 1 << log;
  }
}

/** A few rows: each thread streams groups of the weight. */
void streamRows(Run& run, const Int8Call& call) {
  const QuantizedMatrix& matrix = call.matrix;
  const int64_t grain = max<int64_t>(1, claimBytes / max<int64_t>(1, groupRows * matrix.rowBytes()));
  run.parallelRanges(matrix.groups(), grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t group = begin; group < end; group++) {
      alignas(64) float sums[mostStreamedRows * groupRows];
      streamGroup(call, group, end, sums);
      const int64_t column = group * groupRows;
      for (int64_t row = 0; row < call.rows; row++) writeOutputs(call.out, row, column, min<int64_t>(groupRows, matrix.rows - column), sums + row * groupRows);
    }
  });
}

/** Where the two parts of tileOutputs outputs lie; where there is no second, it is the first again. */
struct PartPair {
  int64_t groups[2];
  int parts[2];
};

PartPair partsAt(const QuantizedMatrix& matrix, int64_t column) {
  const int64_t second = column + VW < matrix.groups() * groupRows ? column + VW : column;
  return {{column / groupRows, second / groupRows}, {static_cast<int>(column % groupRows / VW), static_cast<int>(second % groupRows / VW)}};
}

/** tileOutputs outputs from `column` on for the tiles of rows firstTile … endTile. */
void multiplyColumns(Run& run, int worker, const Int8Call& call, int64_t column, int64_t firstTile, int64_t endTile) {
  const QuantizedMatrix& matrix = call.matrix;
  const int64_t subBlocks = matrix.subBlocks();
  const int64_t partBytes = min(subBlocks, chunkSubBlocks) * call.kernels.expandedBytes;
  uint8_t* expanded = run.scratchOf<uint8_t>(worker, 0, 2 * partBytes);
  float* sums = run.scratchOf<float>(worker, 1, (endTile - firstTile) * rowsPerTile * tileOutputs);
  const PartPair pair = partsAt(matrix, column);
  const int64_t count = min<int64_t>(tileOutputs, matrix.rows - column);
  for (int64_t from = 0; from < subBlocks; from += chunkSubBlocks) {
    const int64_t to = min(from + chunkSubBlocks, subBlocks);
    for (int p = 0; p < 2; p++) call.kernels.expand(matrix.group(pair.groups[p]), matrix.blocks(), from, to, pair.parts[p], expanded + p * partBytes);
    for (int64_t tile = firstTile; tile < endTile; tile++) {
      const int64_t rows = call.rowsOfTile(tile);
      float* out = sums + (tile - firstTile) * rowsPerTile * tileOutputs;
      call.kernels.tile[rows - 1](expanded, expanded + partBytes, to - from, call.blocksOfTile(tile) + from * rows, from == 0, out, tileOutputs);
      for (int64_t row = 0; row < rows && to == subBlocks; row++) writeOutputs(call.out, tile * rowsPerTile + row, column, count, out + row * tileOutputs);
    }
  }
}

/** Many rows: tiles of some outputs and all rows, or as many as the cache keeps. */
void multiplyRows(Run& run, const Int8Call& call) {
  const QuantizedMatrix& matrix = call.matrix;
  const int64_t tiles = ceilDiv(call.rows, rowsPerTile);
  const int64_t tileBytes = rowsPerTile * matrix.subBlocks() * static_cast<int64_t>(sizeof(ActivationBlock));
  const int64_t tilesAtOnce = max<int64_t>(4, rowBlockBytes / max<int64_t>(1, tileBytes));
  const int64_t down = ceilDiv(tiles, tilesAtOnce);
  const int64_t across = ceilDiv(matrix.rows, tileOutputs);
  const int64_t work = min(tiles, tilesAtOnce) * matrix.subBlocks();  // a unit is some 80 ns
  const int64_t grain = max<int64_t>(1, 256 / max<int64_t>(1, work));
  run.parallelRanges(down * across, grain, [&](int64_t begin, int64_t end, int worker) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t firstTile = i / across * tilesAtOnce;
      multiplyColumns(run, worker, call, i % across * tileOutputs, firstTile, min(firstTile + tilesAtOnce, tiles));
    }
  });
}

}  // namespace

void quantizedProductInInt8(Run& run, const View& x, const QuantizedMatrix& matrix, const View& out) {
  if (out.size == 0) return;
  const int64_t rows = out.size / matrix.rows;
  const Int8Call call{matrix, int8Kernels(matrix.format), out, rows, roundActivations(run, x, matrix, rows)};
  if (rows <= mostStreamedRows) streamRows(run, call);
  else multiplyRows(run, call);
}

namespace {

/** The order of `activations` in src/operations/quantized.ts. */
enum Activations : int64_t { inFloat, inInt8 };

void quantizedMatMul(Run& run) {
  Attributes attributes = run.attributes();
  const View& x = run.input(0);
  const View& out = run.output(0);
  const QuantizedMatrix matrix = quantizedMatrix(run, run.input(1), attributes);
  if (x.last() != matrix.width || out.last() != matrix.rows || out.rows() != x.rows()) fail("quantizedMatMul: the sizes do not fit");
  if (attributes.integer() == inInt8 && matrix.width > 0) quantizedProductInInt8(run, x, matrix, out);
  else quantizedProductInFloat(run, x, matrix, out);
}
WEFT_KERNEL("quantizedMatMul", quantizedMatMul)

}  // namespace
}  // namespace weft::WEFT_ISA
