// What the norms share, forward and backward: sums over one row in a fixed order, parameters as floats.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

/** Rows of one norm: x [rows, size] seen over its last axis. */
struct NormRows {
  int64_t rows, size;
};

WEFT_INLINE vi firstLanes(int n) {
  vi lane;
  for (int i = 0; i < VW; i++) lane[i] = i;
  return lane < n;
}

WEFT_INLINE NormRows normRows(Run& run, const View& x) {
  if (x.rank == 0) fail("%s: expected x of rank 1 or more, got a scalar", run.operation());
  return {x.rows(), x.last()};
}

WEFT_INLINE void requireNormSize(Run& run, const char* name, const View& view, int64_t size) {
  if (view.size != size) fail("%s: expected %s of %lld elements, got %lld", run.operation(), name, static_cast<long long>(size), static_cast<long long>(view.size));
}

WEFT_INLINE void requireNormLike(Run& run, const char* name, const View& view, const View& x) {
  requireNormSize(run, name, view, x.size);
  if (view.dtype != x.dtype) fail("%s: expected %s of x's dtype", run.operation(), name);
}

/** The statistics of rows: f32, one a row. */
WEFT_INLINE float* normStatistic(Run& run, const View& view, int64_t rows) {
  requireNormSize(run, "a statistic", view, rows);
  if (view.dtype != DType::f32) fail("%s: expected statistics of dtype f32", run.operation());
  return view.as<float>();
}

/** A parameter [size] as floats, `offset` added: its own memory where it is f32 already. Not inside a parallel body. */
WEFT_INLINE const float* normParameter(Run& run, const char* name, const View& view, int64_t size, float offset) {
  requireNormSize(run, name, view, size);
  if (view.dtype == DType::f32 && offset == 0) return view.as<float>();
  float* wide = run.temporaryOf<float>(size);
  withFloatType(view.dtype, run.operation(), [&](auto* type) {
    const auto* from = view.as<std::remove_pointer_t<decltype(type)>>();
    for (int64_t i = 0; i < size; i += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, size - i));
      storeAs(wide + i, loadAs(from + i, n) + offset, n);
    }
  });
  return wide;
}

/** How many rows are one piece of work: some 10 µs, whatever the number of threads. */
WEFT_INLINE int64_t normGrain(int64_t size) { return max<int64_t>(1, (1 << 15) / max<int64_t>(1, size)); }

}  // namespace weft::WEFT_ISA
