// Elementwise loops over broadcast inputs, cut into pieces in which every input is an array, or one number, of the type computed in.
// Rows too short for vectors are first laid end to end in a buffer.
#pragma once
#include "elements.h"
#include "strided.h"

namespace weft::WEFT_ISA {

constexpr int64_t stageSize = 1024;
constexpr int64_t shortRow = 32;

/** Of one tile: room for one input where it cannot be read in place. */
template <class C> struct Stage {
  alignas(64) C values[stageSize];
};

template <int N> struct Pieces {
  Walk<N> walk;
  int64_t size;  // of the output
  bool isWhole[N];  // not broadcast at all
  bool isRepeated[N];  // short rows: each is the same
  bool isShort;
  int64_t limit;  // elements of a piece; whole rows where they are short

  Pieces(const View* const (&inputs)[N], const View& output, const char* operation, bool isStaged) : walk(broadcastWalk<N>(inputs, output, operation)), size(output.size) {
    isShort = size > 0 && walk.rank > 1 && walk.inner() < shortRow;
    limit = isShort ? stageSize / walk.inner() * walk.inner() : isStaged ? stageSize : INT64_MAX;
    for (int n = 0; n < N; n++) {
      isWhole[n] = inputs[n]->size == size;
      isRepeated[n] = isShort;
      for (int axis = 0; axis + 1 < walk.rank; axis++) isRepeated[n] = isRepeated[n] && walk.steps[n][axis] == 0;
    }
  }

  /** A piece of the output and where it starts in the inputs. */
  struct Piece {
    int64_t start, length;
    Position<N> position;
    bool isFirst;  // of its tile; none after it is longer
  };

  /** body(piece, stages), where the stages keep their contents from piece to piece of a tile. */
  template <class Stages, class F> void forEach(Run& run, int64_t grain, const F& body) const {
    if (isShort) grain = ceilDiv(grain, limit) * limit;
    run.parallelRanges(size, grain, [&](int64_t begin, int64_t end, int) {
      Stages stages;
      Piece piece{begin, 0, Position<N>(walk, begin), true};
      while (piece.start < end) {
        piece.length = min(end - piece.start, limit);
        if (!isShort) piece.length = min(piece.length, walk.inner() - piece.position.index[walk.rank - 1]);
        body(piece, stages);
        piece.start += piece.length;
        piece.isFirst = false;
        if (isShort) piece.position = Position<N>(walk, piece.start);
        else piece.position.advance(walk, piece.length);
      }
    });
  }
};

/** One input in a piece. */
template <class C> struct Source {
  const C* values;
  bool isScalar;
};

template <class C, class T> WEFT_INLINE C valueIn(T x) {
  if constexpr (isSame<C, T>) return x;
  else return computed(x);
}

/** Short rows, each broadcast or not, laid end to end. */
template <int N, class C, class T> void layOut(const Pieces<N>& pieces, int n, const typename Pieces<N>::Piece& piece, const T* data, C* out) {
  const Walk<N>& walk = pieces.walk;
  const int last = walk.rank - 1;
  const int64_t inner = walk.dims[last], step = walk.steps[n][last], rowStep = walk.steps[n][last - 1];
  Position<N> place = piece.position;
  for (int64_t rows = piece.length / inner; rows > 0;) {
    const int64_t count = min(rows, walk.dims[last - 1] - place.index[last - 1]);
    const T* from = data + place.offset[n];
    for (int64_t row = 0; row < count; row++, out += inner, from += rowStep)
      for (int64_t i = 0; i < inner; i++) out[i] = valueIn<C>(from[i * step]);
    place.advance(walk, count, last - 1);
    rows -= count;
  }
}

/** Input n of a piece. */
template <class C, int N, class T> WEFT_INLINE Source<C> sourceOf(const Pieces<N>& pieces, int n, const typename Pieces<N>::Piece& piece, const T* data, Stage<C>& stage) {
  if (pieces.isShort && !pieces.isWhole[n]) {
    if (piece.isFirst || !pieces.isRepeated[n]) layOut(pieces, n, piece, data, stage.values);
    return {stage.values, false};
  }
  const int64_t offset = piece.position.offset[n];
  if (!pieces.isWhole[n] && pieces.walk.steps[n][pieces.walk.rank - 1] == 0) {
    convertRow(stage.values, data + offset, 1);
    return {stage.values, true};
  }
  if constexpr (isSame<C, T>) return {data + offset, false};
  else {
    convertRow(stage.values, data + offset, piece.length);
    return {stage.values, false};
  }
}

}  // namespace weft::WEFT_ISA
