// What linearCrossEntropy and its gradient share: the rows that count, and the logits of a chunk, a block of rows × a panel of classes
// that stays in the caches. N rows, V classes, D features.
#pragma once
#include <type_traits>

#include "cross-entropy.h"
#include "gemm.h"

namespace weft::WEFT_ISA {

/** Classes of a panel. Fixed, so that a row's sums do not depend on the number of rows. */
constexpr int64_t panelClasses = lossBlock;
/** Rows of a chunk: 2 MB of logits. */
constexpr int64_t chunkRows = 512;
/** A line more than a power of two: the rows of a panel must not all fall into one set of the first-level cache. */
constexpr int64_t logitStride = panelClasses + 16;

struct LossHead {
  int64_t rows, classes, features;  // rows: those that count
  MatrixRef hidden, weight;         // [rows, D] and [V, D]
  const int32_t* places;            // which row of the input each one is; null: all of them count
  const int32_t* targets;           // by place in the input
  const float* bias;                // times the scale; null: none
  LossOptions options;
  float softcap, scale;

  WEFT_INLINE int64_t place(int64_t row) const { return places == nullptr ? row : places[row]; }
};

WEFT_INLINE MatrixRef rowsFrom(const MatrixRef& x, int64_t row) {
  return {static_cast<const char*>(x.data) + row * x.rowStride * bytesPerElement(x.dtype), x.dtype, x.rowStride, x.columnStride};
}

/** Finds the rows whose target is not ignoreIndex; where some are, the others are packed together. */
WEFT_INLINE void packRows(Run& run, LossHead& head, const View& hidden) {
  const int64_t all = hidden.dims[0];
  int64_t count = 0;
  for (int64_t i = 0; i < all; i++) count += head.targets[i] != head.options.ignoreIndex;
  head.rows = count;
  head.places = nullptr;
  head.hidden = {hidden.data, hidden.dtype, head.features, 1};
  if (count == all) return;
  int32_t* places = run.temporaryOf<int32_t>(count);
  for (int64_t i = 0, next = 0; i < all; i++)
    if (head.targets[i] != head.options.ignoreIndex) places[next++] = static_cast<int32_t>(i);
  head.places = places;
  const int64_t rowBytes = head.features * bytesPerElement(hidden.dtype);
  char* packed = run.temporaryOf<char>(count * rowBytes);
  run.parallelRanges(count, max<int64_t>(1, (1 << 17) / max<int64_t>(1, rowBytes)), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) memcpy(packed + i * rowBytes, hidden.as<char>() + places[i] * rowBytes, static_cast<size_t>(rowBytes));
  });
  head.hidden.data = packed;
}

WEFT_INLINE const float* scaledBias(Run& run, const View& bias, int64_t classes, float scale) {
  if (bias.size != classes) fail("%s: expected bias [V]", run.operation());
  if (bias.dtype == DType::f32 && scale == 1) return bias.as<float>();
  float* scaled = run.temporaryOf<float>(classes);
  withFloatType(bias.dtype, run.operation(), [&](auto* type) {
    const auto* from = bias.as<std::remove_pointer_t<decltype(type)>>();
    for (int64_t i = 0; i < classes; i += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, classes - i));
      storeAs(scaled + i, loadAs(from + i, n) * scale, n);
    }
  });
  return scaled;
}

WEFT_INLINE bool isFloat(DType dtype) { return dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f16; }

/** Inputs: hidden, weight, targets, bias; attributes: ignoreIndex, labelSmoothing, zLoss, softcap, logitScale. */
WEFT_INLINE LossHead lossHead(Run& run, Attributes& attributes) {
  const View& hidden = run.input(0);
  const View& weight = run.input(1);
  const View& targets = run.input(2);
  if (hidden.rank != 2 || weight.rank != 2 || hidden.dims[1] != weight.dims[1]) fail("%s: expected hidden [N, D] and weight [V, D]", run.operation());
  if (!isFloat(hidden.dtype) || !isFloat(weight.dtype)) fail("%s: expected hidden and weight of float dtypes", run.operation());
  if (targets.dtype != DType::i32 || targets.size != hidden.dims[0] || targets.size > INT32_MAX) fail("%s: expected targets [N] of dtype i32", run.operation());
  LossHead head{};
  head.classes = weight.dims[0];
  head.features = weight.dims[1];
  head.weight = {weight.data, weight.dtype, head.features, 1};
  head.targets = targets.as<int32_t>();
  head.options = lossOptions(attributes);
  head.softcap = static_cast<float>(attributes.number());
  head.scale = static_cast<float>(attributes.number());
  head.bias = run.has(3) ? scaledBias(run, run.input(3), head.classes, head.scale) : nullptr;
  packRows(run, head, hidden);
  return head;
}

/** A chunk: rows from `row`, classes from `first`. */
struct Chunk {
  int64_t row, rows, first, classes;
};

/** body(chunk) for all chunks, panel after panel; afterPanel(chunk) with the last chunk of each. */
template <class F, class P> WEFT_INLINE void eachChunk(const LossHead& head, const F& body, const P& afterPanel) {
  for (int64_t first = 0; first < head.classes; first += panelClasses) {
    Chunk chunk{0, 0, first, min(panelClasses, head.classes - first)};
    for (int64_t row = 0; row < head.rows; row += chunkRows) {
      chunk.row = row;
      chunk.rows = min(chunkRows, head.rows - row);
      body(chunk);
    }
    afterPanel(chunk);
  }
}

WEFT_INLINE float* chunkMemory(Run& run, const LossHead& head) { return run.temporaryOf<float>(min(chunkRows, head.rows) * logitStride); }

/** logits [chunk.rows, chunk.classes] with logitStride: (hidden · weightᵀ + bias) · scale. The soft cap is still to come. */
WEFT_INLINE void chunkLogits(Run& run, const LossHead& head, const Chunk& chunk, float* logits) {
  Gemm call{.m = chunk.rows, .n = chunk.classes, .k = head.features, .a = rowsFrom(head.hidden, chunk.row), .b = rowsFrom(head.weight, chunk.first)};
  call.b.rowStride = 1;
  call.b.columnStride = head.features;
  call.c = logits;
  call.cStride = logitStride;
  call.scale = head.scale;
  call.bias = head.bias == nullptr ? nullptr : head.bias + chunk.first;
  gemm(run, call);
}

/** Rows of a piece of work over a chunk. */
constexpr int64_t rowGrain = 16;

}  // namespace weft::WEFT_ISA
