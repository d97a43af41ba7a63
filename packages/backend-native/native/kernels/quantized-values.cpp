#include "quantized-values.h"

#include "quantized-expand.h"

namespace weft::WEFT_ISA {
namespace {

/** Products ask for panel after panel of 2 · VW rows: the next one is fetched while this one is unpacked. */
constexpr int64_t groupsAhead = 2 * VW <= groupRows ? 1 : 2 * VW / groupRows;

/** A part of a group's rows and the columns of one sub-block that are asked for. */
struct Patch {
  int64_t group, subBlock;
  int part;
  int64_t row0, row1;        // of the matrix, within the part
  int64_t column0, column1;  // likewise
};

/** Calls visit(patch) for all that overlaps the range, group by group. */
template <class F> WEFT_INLINE void forPatches(int64_t row0, int64_t row1, int64_t column0, int64_t column1, const F& visit) {
  for (int64_t row = row0 / VW * VW; row < row1; row += VW) {
    for (int64_t column = column0 / subBlockColumns * subBlockColumns; column < column1; column += subBlockColumns) {
      visit(Patch{row / groupRows, column / subBlockColumns, static_cast<int>(row % groupRows / VW), max(row, row0), min<int64_t>(row + VW, row1), max(column, column0),
                  min<int64_t>(column + subBlockColumns, column1)});
    }
  }
}

/** Calls use(column of the sub-block, VW values of the part's rows) for all 32 columns. */
template <class Format, class F> WEFT_INLINE void eachColumn(const QuantizedMatrix& matrix, const Patch& patch, const F& use) {
  const PartOfGroup part = partOfGroup(Format::layout, matrix.blocks(), matrix.group(patch.group), patch.part);
  const int64_t block = patch.subBlock / Format::subBlocks;
  const int j = static_cast<int>(patch.subBlock % Format::subBlocks);
  constexpr int lines = Format::layout.quantBytes() * groupRows / 64 / Format::subBlocks;
  const uint8_t* next = part.quants + block * Format::layout.quantBytes() * groupRows + groupsAhead * groupRows * matrix.rowBytes();
#pragma GCC unroll 16
  for (int line = j * lines; line < (j + 1) * lines; line++) __builtin_prefetch(next + line * 64);
  vu words[subBlockWords];
  SubBlockScales scales;
  Format::words(part.quants + block * Format::layout.quantBytes() * groupRows, j, words);
  Format::scales(part.scales + block * Format::layout.scaleBytes() * groupRows, j, patch.part, scales);
  for (int c = 0; c < subBlockColumns; c++) {
    const int half = Format::halves == 2 ? c / 16 : 0;
    const vi quant = (vi)((words[c / 4] >> (8 * (c % 4))) & (vu)splatInt(255)) - Format::zero;
    const vf value = blocks::floats(quant) * scales.scale[half];
    use(c, Format::hasOffset ? value + scales.offset[half] : value);
  }
}

template <class Format> void byColumn(const QuantizedMatrix& matrix, const Patch& patch, float* out, int64_t stride) {
  const int64_t first = patch.subBlock * subBlockColumns;
  if (patch.row1 - patch.row0 == VW && patch.column1 - patch.column0 == subBlockColumns) {
    return eachColumn<Format>(matrix, patch, [&](int c, vf value) { store(out + c * stride, value); });
  }
  const int64_t lane = patch.row0 % VW;
  eachColumn<Format>(matrix, patch, [&](int c, vf value) {
    if (first + c < patch.column0 || first + c >= patch.column1) return;
    float values[VW];
    store(values, value);
    memcpy(out + (first + c - patch.column0) * stride, values + lane, static_cast<size_t>(patch.row1 - patch.row0) * 4);
  });
}

template <class Format> void byRow(const QuantizedMatrix& matrix, const Patch& patch, float* out, int64_t stride) {
  float values[subBlockColumns * VW];
  eachColumn<Format>(matrix, patch, [&](int c, vf value) { store(values + c * VW, value); });
  const int64_t first = patch.subBlock * subBlockColumns;
  for (int64_t row = patch.row0; row < patch.row1; row++, out += stride) {
    const float* from = values + row % VW + (patch.column0 - first) * VW;
    for (int64_t c = 0; c < patch.column1 - patch.column0; c++) out[c] = from[c * VW];
  }
}

}  // namespace

void valuesByColumn(const QuantizedMatrix& matrix, int64_t column0, int64_t column1, int64_t row0, int64_t row1, float* out, int64_t stride) {
  withFormat(matrix.format, [&]<class Format>(Format) {
    forPatches(row0, row1, column0, column1, [&](const Patch& patch) { byColumn<Format>(matrix, patch, out + (patch.column0 - column0) * stride + patch.row0 - row0, stride); });
  });
}

void valuesByRow(const QuantizedMatrix& matrix, int64_t row0, int64_t row1, int64_t column0, int64_t column1, float* out, int64_t stride) {
  withFormat(matrix.format, [&]<class Format>(Format) {
    forPatches(row0, row1, column0, column1, [&](const Patch& patch) { byRow<Format>(matrix, patch, out + (patch.row0 - row0) * stride + patch.column0 - column0, stride); });
  });
}

}  // namespace weft::WEFT_ISA
