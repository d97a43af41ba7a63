// Lists of tensors seen as one: tiles over all elements of all tensors, so that one parallel region serves a whole model; and what the
// update operations share: their lists, checked, and whether the update counts at all.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

/** Tensors begin at multiples of this many elements, a cache line of floats: no two tiles share one, and vectors stay aligned. */
constexpr int64_t tileUnit = 16;

/** Tiles of equal size over tensors laid end to end. They depend on the sizes alone, so sums over them do not depend on the threads. */
class ListTiles {
 public:
  /** Takes scratch memory of uses 0 and 1 of worker 0 until the end of the call. */
  ListTiles(Run& run, int slot, int64_t tileSize)
      : count_(run.count(slot)), tileSize_(tileSize), ends_(run.scratchOf<int64_t>(0, 0, count_ + 1)), sizes_(run.scratchOf<int64_t>(0, 1, count_ + 1)) {
    int64_t end = 0;
    for (int i = 0; i < count_; i++) {
      sizes_[i] = run.input(slot, i).size;
      end += ceilDiv(sizes_[i], tileUnit) * tileUnit;
      ends_[i] = end;
    }
    tiles_ = ceilDiv(end, tileSize);
  }

  int64_t tiles() const { return tiles_; }

  /** body(tensor, begin, end) for each stretch of elements in a tile. */
  template <class F> WEFT_INLINE void stretches(int64_t tile, const F& body) const {
    const int64_t from = tile * tileSize_;
    const int64_t to = from + tileSize_;
    for (int tensor = firstEndingAfter(from); tensor < count_; tensor++) {
      const int64_t start = tensor == 0 ? 0 : ends_[tensor - 1];
      if (start >= to) return;
      const int64_t begin = max<int64_t>(from - start, 0);
      const int64_t end = min<int64_t>(to - start, sizes_[tensor]);
      if (begin < end) body(tensor, begin, end);
    }
  }

 private:
  int firstEndingAfter(int64_t position) const {
    int low = 0;
    int high = count_;
    while (low < high) {
      const int middle = (low + high) / 2;
      if (ends_[middle] > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  int count_;
  int64_t tileSize_;
  int64_t tiles_ = 0;
  int64_t* ends_;
  int64_t* sizes_;
};

/** body(i, n) over 0 … count: whole vectors (n is the constant VW), then what is left. */
template <class F> WEFT_INLINE void overVectors(int64_t count, const F& body) {
  int64_t i = 0;
  for (; i + VW <= count; i += VW) body(i, VW);
  if (i < count) body(i, static_cast<int>(count - i));
}

/** Elements of a float dtype as floats: the array itself, or a widened copy of begin … end in `buffer`. */
WEFT_INLINE const float* asFloats(const View& x, int64_t begin, int64_t count, float* buffer) {
  if (x.dtype == DType::f32) return x.as<const float>() + begin;
  withFloatType(x.dtype, "optimizer", [&](auto* type) {
    const auto* from = static_cast<decltype(type)>(x.data) + begin;
    overVectors(count, [&](int64_t i, int n) { storeAs(buffer + i, loadAs(from + i, n), n); });
  });
  return buffer;
}

WEFT_INLINE void narrowInto(const View& x, int64_t begin, int64_t count, const float* values) {
  withFloatType(x.dtype, "optimizer", [&](auto* type) {
    auto* to = static_cast<decltype(type)>(x.data) + begin;
    overVectors(count, [&](int64_t i, int n) { storeAs(to + i, loadAs(values + i, n), n); });
  });
}

/** The inputs `values`, `masters`, `gradients`, state lists, `step`, `gradientScale` of an update, and the outputs, laid end to end. */
struct StepLists {
  Run& run;
  int states;
  int count;
  bool hasMasters;
  float scale;
  /** The number of this update, from 1. */
  double number;

  StepLists(Run& call, int stateLists);

  const View& value(int i) const { return run.input(0, i); }
  const View& gradient(int i) const { return run.input(2, i); }
  /** What is updated: the master, or the value where there is none. */
  const View& before(int i) const { return run.input(hasMasters ? 1 : 0, i); }
  const View& state(int list, int i) const { return run.input(3 + list, i); }
  const View& newValue(int i) const { return run.output(i); }
  const View& after(int i) const { return run.output(hasMasters ? count + i : i); }
  const View& newState(int list, int i) const { return run.output((hasMasters ? 2 : 1) * count + list * count + i); }
  bool counts() const { return scale - scale == 0; }

  /** Writes the step's number, or, where the update does not count, all outputs as they were. @returns whether it counts. */
  bool begin() const;
};

/** Where the buffer was not taken over. Not inside a parallel body. */
void copyUnlessSame(Run& run, const View& from, const View& to);

}  // namespace weft::WEFT_ISA
