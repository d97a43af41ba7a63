// Copies a strided view of an array into a row-major one: what permute, slice and broadcastTo are.
#pragma once
#include "elements.h"
#include "gemm-transpose.h"
#include "strided.h"

namespace weft::WEFT_ISA {

constexpr int64_t copyGrain = 1 << 16;

template <class T> WEFT_INLINE void copyRow(T* __restrict to, const T* __restrict from, int64_t step, int64_t n) {
  if (step == 1 && n >= 16) memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
  else if (step == 1)
    for (int64_t i = 0; i < n; i++) to[i] = from[i];
  else if (step == 0)
    for (int64_t i = 0; i < n; i++) to[i] = *from;
  else
    for (int64_t i = 0; i < n; i++) to[i] = from[i * step];
}

template <class T> void copyRows(Run& run, const Walk<1>& walk, const T* from, T* to, int64_t size) {
  run.parallelRanges(size, copyGrain, [&](int64_t begin, int64_t end, int) {
    Position<1> position(walk, begin);
    const int last = walk.rank - 1;
    for (int64_t at = begin; at < end;) {
      const int64_t count = min(end - at, walk.dims[last] - position.index[last]);
      copyRow(to + at, from + position.offset[0], walk.steps[0][last], count);
      at += count;
      position.advance(walk, count);
    }
  });
}

// Bits of any size as vectors of VW words of 32 bits.
WEFT_INLINE vf loadWords(const uint32_t* p) { return (vf)loadInt(reinterpret_cast<const int32_t*>(p)); }
WEFT_INLINE vf loadWords(const uint16_t* p) { return (vf)widen((vh)*reinterpret_cast<const vhUnaligned*>(p)); }
WEFT_INLINE vf loadWords(const uint8_t* p) { return (vf)widen((vb)*reinterpret_cast<const vbUnaligned*>(p)); }
WEFT_INLINE void storeWords(uint32_t* p, vf x) { storeInt(reinterpret_cast<int32_t*>(p), (vi)x); }
WEFT_INLINE void storeWords(uint16_t* p, vf x) { *reinterpret_cast<vhUnaligned*>(p) = narrowTo16((vu)x); }
WEFT_INLINE void storeWords(uint8_t* p, vf x) { *reinterpret_cast<vbUnaligned*>(p) = narrowTo8((vu)x); }

/** to[i · toStep + j] = from[j · fromStep + i] for i below `height` and j below `width`. */
template <class T> void transposeTile(const T* __restrict from, int64_t fromStep, T* __restrict to, int64_t toStep, int64_t height, int64_t width) {
  const int64_t fullHeight = height / VW * VW, fullWidth = width / VW * VW;
  for (int64_t i = 0; i < fullHeight; i += VW) {
    for (int64_t j = 0; j < fullWidth; j += VW) {
      vf block[VW];
      for (int k = 0; k < VW; k++) block[k] = loadWords(from + (j + k) * fromStep + i);
      transpose(block);
      for (int k = 0; k < VW; k++) storeWords(to + (i + k) * toStep + j, block[k]);
    }
  }
  for (int64_t i = 0; i < fullHeight; i++)
    for (int64_t j = fullWidth; j < width; j++) to[i * toStep + j] = from[j * fromStep + i];
  for (int64_t i = fullHeight; i < height; i++)
    for (int64_t j = 0; j < width; j++) to[i * toStep + j] = from[j * fromStep + i];
}

// A tile writes long runs and reads a line of each of its input's rows at a time, the next lines in the tile after it.
constexpr int64_t tileRows = 64, tileColumns = 1024;

/** The input's fastest axis is `along`, not the last one: tiles of both axes, turned over in registers. */
template <class T> void copyTransposed(Run& run, const Walk<1>& walk, int along, const T* from, T* to) {
  const int last = walk.rank - 1;
  const int64_t rows = walk.dims[along], columns = walk.dims[last], step = walk.steps[0][last];
  // The other axes, with their steps in both arrays.
  Walk<2> others;
  int64_t outStep = 1, outSteps[maxRank];
  for (int axis = last; axis >= 0; axis--) {
    outSteps[axis] = outStep;
    outStep *= walk.dims[axis];
  }
  for (int axis = 0; axis < last; axis++)
    if (axis != along) others.add(walk.dims[axis], {walk.steps[0][axis], outSteps[axis]});
  others.finish();
  int64_t batch = 1;
  for (int axis = 0; axis < others.rank; axis++) batch *= others.dims[axis];
  const int64_t rowTiles = ceilDiv(rows, tileRows), columnTiles = ceilDiv(columns, tileColumns);
  const int64_t grain = max<int64_t>(1, copyGrain / (min(rows, tileRows) * min(columns, tileColumns)));
  run.parallelRanges(batch * rowTiles * columnTiles, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t tile = begin; tile < end; tile++) {
      const Position<2> base(others, tile / (rowTiles * columnTiles));
      const int64_t row = tile % rowTiles * tileRows, column = tile / rowTiles % columnTiles * tileColumns;
      transposeTile(from + base.offset[0] + row + column * step, step, to + base.offset[1] + row * outSteps[along] + column, outSteps[along], min(tileRows, rows - row), min(tileColumns, columns - column));
    }
  });
}

template <class T> void copyStrided(Run& run, const Walk<1>& walk, const T* from, T* to, int64_t size) {
  if (size == 0) return;
  const int last = walk.rank - 1;
  if (walk.steps[0][last] > 1) {
    for (int axis = 0; axis < last; axis++)
      if (walk.steps[0][axis] == 1) return copyTransposed(run, walk, axis, from, to);
  }
  copyRows(run, walk, from, to, size);
}

}  // namespace weft::WEFT_ISA
