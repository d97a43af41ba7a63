// Block formats of quantized weights and the layout that the kernels read them in: 16 rows interleaved, so that one vector holds the same
// four columns of 16 rows. It takes the bytes that GGUF's layout takes.
//
// A group of 16 rows: the quants of all blocks (each four bytes of a row's block, then the same of the next row …), then their scales.
// Rows that do not fill a group stay in GGUF's layout at the end and are interleaved by each call.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

/** The order of `formats` in src/operations/quantized.ts. */
enum class QuantizedFormat : int { q8_0, q4_0, q4_1, q5_0, q5_1, q2_k, q3_k, q4_k, q5_k, q6_k, iq4_nl, iq4_xs, mxfp4 };
constexpr int quantizedFormatCount = 13;

constexpr int groupRows = 16;
/** Columns that share a scale of the activations; the unit of all kernels. */
constexpr int subBlockColumns = 32;

/** Bytes of a block that stand side by side, interleaved in pieces of `unit` bytes. */
struct BlockField {
  int offset, bytes, unit;
};

struct BlockLayout {
  int values, bytes;
  BlockField quants[2];   // units of four
  BlockField scales[3];
  constexpr int quantBytes() const { return quants[0].bytes + quants[1].bytes; }
  constexpr int scaleBytes() const { return bytes - quantBytes(); }
};

inline constexpr BlockLayout blockLayouts[quantizedFormatCount] = {
    {32, 34, {{2, 32, 4}}, {{0, 2, 2}}},
    {32, 18, {{2, 16, 4}}, {{0, 2, 2}}},
    {32, 20, {{4, 16, 4}}, {{0, 2, 2}, {2, 2, 2}}},
    {32, 22, {{6, 16, 4}, {2, 4, 4}}, {{0, 2, 2}}},
    {32, 24, {{8, 16, 4}, {4, 4, 4}}, {{0, 2, 2}, {2, 2, 2}}},
    {256, 84, {{16, 64, 4}}, {{80, 2, 2}, {82, 2, 2}, {0, 16, 1}}},
    {256, 110, {{32, 64, 4}, {0, 32, 4}}, {{108, 2, 2}, {96, 12, 1}}},
    {256, 144, {{16, 128, 4}}, {{0, 2, 2}, {2, 2, 2}, {4, 12, 1}}},
    {256, 176, {{48, 128, 4}, {16, 32, 4}}, {{0, 2, 2}, {2, 2, 2}, {4, 12, 1}}},
    {256, 210, {{0, 128, 4}, {128, 64, 4}}, {{208, 2, 2}, {192, 16, 1}}},
    {32, 18, {{2, 16, 4}}, {{0, 2, 2}}},
    {256, 136, {{8, 128, 4}}, {{0, 2, 2}, {2, 6, 1}}},
    {32, 17, {{1, 16, 4}}, {{0, 1, 1}}},
};

/** A packed weight [rows, width]. */
struct QuantizedMatrix {
  QuantizedFormat format;
  int64_t rows, width;
  const uint8_t* data;
  const uint8_t* tail;  // the last group, interleaved, where rows do not fill it

  const BlockLayout& layout() const { return blockLayouts[static_cast<int>(format)]; }
  int64_t blocks() const { return width / layout().values; }
  int64_t rowBytes() const { return blocks() * layout().bytes; }
  int64_t subBlocks() const { return width / subBlockColumns; }
  int64_t groups() const { return ceilDiv(rows, groupRows); }
  const uint8_t* group(int64_t index) const { return (index + 1) * groupRows > rows ? tail : data + index * groupRows * rowBytes(); }
};

/**
 * The weight that the attributes `format` and `shape`, which stand first, describe, in an input of packed bytes. Interleaves the last rows
 * into memory of this call.
 */
QuantizedMatrix quantizedMatrix(Run& run, const View& packed, Attributes& attributes);

/** Interleaves `count` (1 … 16) rows of blocks; rows that are missing become zeros. `to` takes a whole group and must not overlap. */
void interleaveRows(const BlockLayout& layout, int64_t blocks, const uint8_t* rows, int count, uint8_t* to);

}  // namespace weft::WEFT_ISA
