// Elementwise loops over broadcast inputs, cut into pieces in which every input is an array, or one number, of the type computed in.
// Rows too short for vectors are first laid end to end in a buffer.
#pragma once
#include "elements.h"
#include "strided.h"

namespace weft::WEFT_ISA {

constexpr int64_t stageSize = 1024;
constexpr int64_t shortRow = 32;

template <int N> struct Pieces {
  Walk<N> walk;
  int64_t size;  // of the output
  bool isWhole[N];  // not broadcast at all
  bool isShort;
  int64_t limit;  // elements of a piece

  Pieces(const View* const (&inputs)[N], const View& output, const char* operation, bool isStaged) : walk(broadcastWalk<N>(inputs, output, operation)), size(output.size) {
    for (int n = 0; n < N; n++) isWhole[n] = inputs[n]->size == size;
    isShort = walk.rank > 1 && walk.inner() < shortRow;
    limit = isStaged || isShort ? stageSize : INT64_MAX;
  }

  /** body(start, length, position, worker) for every piece; `position` says where it starts. */
  template <class F> void forEach(Run& run, int64_t grain, const F& body) const {
    run.parallelRanges(size, grain, [&](int64_t begin, int64_t end, int worker) {
      Position<N> position(walk, begin);
      for (int64_t at = begin; at < end;) {
        if (isShort) {
          const int64_t length = min(end - at, limit);
          body(at, length, position, worker);
          at += length;
          if (at < end) position = Position<N>(walk, at);
        } else {
          const int64_t length = min(min(end - at, limit), walk.inner() - position.index[walk.rank - 1]);
          body(at, length, position, worker);
          at += length;
          position.advance(walk, length);
        }
      }
    });
  }
};

/** One input in a piece. */
template <class C> struct Source {
  const C* values;
  bool isScalar;
};

template <class C, class T> WEFT_INLINE C single(T value) {
  C result;
  convertRow(&result, &value, 1);
  return result;
}

/** Input n of a piece; `stage` holds stageSize elements. */
template <class C, int N, class T> WEFT_INLINE Source<C> sourceOf(const Pieces<N>& pieces, int n, int64_t start, int64_t length, const Position<N>& position, const T* data, C* stage) {
  const Walk<N>& walk = pieces.walk;
  const int last = walk.rank - 1;
  if (pieces.isWhole[n] || (!pieces.isShort && walk.steps[n][last] != 0)) {
    const T* from = data + (pieces.isWhole[n] ? start : position.offset[n]);
    if constexpr (isSame<C, T>) return {from, false};
    else {
      convertRow(stage, from, length);
      return {stage, false};
    }
  }
  if (!pieces.isShort) {
    *stage = single<C>(data[position.offset[n]]);
    return {stage, true};
  }
  Position<N> place = position;
  for (int64_t done = 0; done < length;) {
    const int64_t count = min(length - done, walk.dims[last] - place.index[last]);
    const T* from = data + place.offset[n];
    if (walk.steps[n][last] == 0) {
      const C value = single<C>(*from);
      for (int64_t i = 0; i < count; i++) stage[done + i] = value;
    } else convertRow(stage + done, from, count);
    done += count;
    place.advance(walk, count);
  }
  return {stage, false};
}

}  // namespace weft::WEFT_ISA
