// Copies a strided view of an array into a row-major one: what permute, slice and broadcastTo are.
#pragma once
#include "elements.h"
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

constexpr int64_t tileSide = 32;

/** The input's fastest axis is `along`, not the last one: square tiles of both, so that lines of memory are used whole. */
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
  const int64_t rowTiles = ceilDiv(rows, tileSide), columnTiles = ceilDiv(columns, tileSide);
  const int64_t grain = max<int64_t>(1, copyGrain / (min(rows, tileSide) * min(columns, tileSide)));
  run.parallelRanges(batch * rowTiles * columnTiles, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t tile = begin; tile < end; tile++) {
      const Position<2> base(others, tile / (rowTiles * columnTiles));
      const int64_t row = tile / columnTiles % rowTiles * tileSide, column = tile % columnTiles * tileSide;
      const int64_t height = min(tileSide, rows - row), width = min(tileSide, columns - column);
      const T* source = from + base.offset[0] + row + column * step;
      T* target = to + base.offset[1] + row * outSteps[along] + column;
      for (int64_t i = 0; i < height; i++)
        for (int64_t j = 0; j < width; j++) target[i * outSteps[along] + j] = source[i + j * step];
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
