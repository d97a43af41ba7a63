// Walking several arrays at once over the axes of one shape: axes are joined as far as all arrays allow, and a walk may start anywhere.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

/** Axes of an iteration, the last one fastest, with the step of each of N arrays along them. Never without an axis. */
template <int N> struct Walk {
  int rank = 0;
  int64_t dims[maxRank];
  int64_t steps[N][maxRank];

  /** Adds the next faster axis; axes of size 1 vanish, and axes that every array walks in one stride are joined. */
  void add(int64_t size, const int64_t (&step)[N]) {
    if (size == 1) return;
    bool joins = rank > 0;
    for (int n = 0; n < N && joins; n++) joins = steps[n][rank - 1] == step[n] * size;
    if (joins) dims[rank - 1] *= size;
    else dims[rank++] = size;
    for (int n = 0; n < N; n++) steps[n][rank - 1] = step[n];
  }
  void finish() {
    if (rank > 0) return;
    dims[0] = 1;
    for (int n = 0; n < N; n++) steps[n][0] = 0;
    rank = 1;
  }
  int64_t inner() const { return dims[rank - 1]; }
};

/** The step of `from` along axis `axis` of the shape that it is broadcast to. */
WEFT_INLINE void broadcastSteps(const View& from, const View& to, const char* operation, int64_t (&steps)[maxRank]) {
  const int missing = to.rank - from.rank;
  if (missing < 0) fail("%s: an input of rank %d does not broadcast to rank %d", operation, from.rank, to.rank);
  int64_t step = 1;
  for (int axis = to.rank - 1; axis >= 0; axis--) {
    const int64_t size = axis < missing ? 1 : from.dims[axis - missing];
    if (size != 1 && size != to.dims[axis]) fail("%s: size %lld does not broadcast to %lld", operation, static_cast<long long>(size), static_cast<long long>(to.dims[axis]));
    steps[axis] = size == 1 ? 0 : step;
    step *= size;
  }
}

/** The walk of N inputs over a row-major output that they are broadcast to. */
template <int N> WEFT_INLINE Walk<N> broadcastWalk(const View* const (&inputs)[N], const View& output, const char* operation) {
  int64_t steps[N][maxRank];
  for (int n = 0; n < N; n++) broadcastSteps(*inputs[n], output, operation, steps[n]);
  Walk<N> walk;
  for (int axis = 0; axis < output.rank; axis++) {
    int64_t step[N];
    for (int n = 0; n < N; n++) step[n] = steps[n][axis];
    walk.add(output.dims[axis], step);
  }
  walk.finish();
  return walk;
}

/** A place on a walk: the index along each axis and the offset in each array. */
template <int N> struct Position {
  int64_t index[maxRank];
  int64_t offset[N] = {};

  WEFT_INLINE Position(const Walk<N>& walk, int64_t flat) {
    for (int axis = walk.rank - 1; axis >= 0; axis--) {
      index[axis] = axis == 0 ? flat : flat % walk.dims[axis];
      flat /= walk.dims[axis];
      for (int n = 0; n < N; n++) offset[n] += index[axis] * walk.steps[n][axis];
    }
  }
  /** `count` on along the fastest axis, not beyond its end; at the end on to the next row. */
  WEFT_INLINE void advance(const Walk<N>& walk, int64_t count) { advance(walk, count, walk.rank - 1); }
  WEFT_INLINE void advance(const Walk<N>& walk, int64_t count, int axis) {
    index[axis] += count;
    for (int n = 0; n < N; n++) offset[n] += count * walk.steps[n][axis];
    while (axis > 0 && index[axis] == walk.dims[axis]) {
      index[axis] = 0;
      for (int n = 0; n < N; n++) offset[n] += walk.steps[n][axis - 1] - walk.dims[axis] * walk.steps[n][axis];
      index[--axis]++;
    }
  }
};

}  // namespace weft::WEFT_ISA
