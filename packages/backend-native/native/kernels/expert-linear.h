// Rows sorted by the expert that they were given to. N rows of x, `chosen` experts a row.
#pragma once
#include "linear.h"

namespace weft::WEFT_ISA {

/** x [rows, inputs], weights [experts, outputs, inputs], expertIds [rows, chosen]. */
struct ExpertSizes {
  int64_t rows, inputs, experts, outputs, chosen;
};

WEFT_INLINE ExpertSizes expertSizes(Run& run) {
  const View& x = run.input(0);
  const View& weights = run.input(1);
  const View& ids = run.input(2);
  if (x.rank != 2 || weights.rank != 3 || ids.rank != 2) fail("%s: expected x of rank 2, weights of rank 3, expertIds of rank 2", run.operation());
  const ExpertSizes sizes{x.dims[0], x.dims[1], weights.dims[0], weights.dims[1], ids.dims[1]};
  if (weights.dims[2] != sizes.inputs || ids.dims[0] != sizes.rows || ids.dtype != DType::i32) fail("%s: x, weights and expertIds do not fit", run.operation());
  return sizes;
}

/** The choices [rows · chosen] by expert, in ascending order within one: expert e has places[starts[e]] … places[starts[e + 1] − 1]. */
struct Choices {
  int64_t* starts;
  int64_t* places;
  WEFT_INLINE int64_t countOf(int64_t expert) const { return starts[expert + 1] - starts[expert]; }
};

/** A choice outside of the experts is nobody's. */
WEFT_INLINE Choices sortChoices(Run& run, const ExpertSizes& sizes) {
  const int32_t* ids = run.input(2).as<int32_t>();
  const int64_t count = sizes.rows * sizes.chosen;
  const Choices choices{run.temporaryOf<int64_t>(sizes.experts + 1), run.temporaryOf<int64_t>(count)};
  int64_t* next = run.temporaryOf<int64_t>(sizes.experts + 1);
  const auto isExpert = [&](int64_t id) { return id >= 0 && id < sizes.experts; };
  for (int64_t e = 0; e <= sizes.experts; e++) choices.starts[e] = 0;
  for (int64_t i = 0; i < count; i++)
    if (isExpert(ids[i])) choices.starts[ids[i] + 1]++;
  for (int64_t e = 0; e < sizes.experts; e++) choices.starts[e + 1] += choices.starts[e];
  for (int64_t e = 0; e < sizes.experts; e++) next[e] = choices.starts[e];
  for (int64_t i = 0; i < count; i++)
    if (isExpert(ids[i])) choices.places[next[ids[i]]++] = i;
  return choices;
}

/** to[i] = from[rowOf(i)], rows of `bytes`, for i < count. */
template <class F> WEFT_INLINE void copyRows(Run& run, const void* from, void* to, int64_t count, int64_t bytes, const F& rowOf) {
  run.parallelRanges(count, max<int64_t>(1, (256 << 10) / max<int64_t>(1, bytes)), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) memcpy(static_cast<char*>(to) + i * bytes, static_cast<const char*>(from) + rowOf(i) * bytes, static_cast<size_t>(bytes));
  });
}

/** The weights of one expert as [outputs, inputs]. */
WEFT_INLINE MatrixRef weightsOf(const View& weights, const ExpertSizes& sizes, int64_t expert) {
  const int64_t bytes = sizes.outputs * sizes.inputs * bytesPerElement(weights.dtype);
  return {static_cast<const char*>(weights.data) + expert * bytes, weights.dtype, sizes.inputs, 1};
}

}  // namespace weft::WEFT_ISA
