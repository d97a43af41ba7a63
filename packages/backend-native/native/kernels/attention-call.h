// One call of attention as its kernels see it. B batch, Tq queries, Tk keys, H query heads, K key heads, G = H / K, Dh and Dv sizes of a
// head. The inputs are those of packages/tensor/src/ops/attention.ts; the gradient's call begins with the same ones.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

/** i32 numbers of each token, [B or 1, T]; null: absent. */
struct TokenNumbers {
  const int32_t* data;
  int64_t batchStride;
};

struct AttentionCall {
  int64_t B, Tq, Tk, H, K, G, Dh, Dv;
  const View *q, *k, *v;
  bool isCausal;
  float softcap;   // 0: none
  float scale;
  int64_t window;  // 0: none
  TokenNumbers queryPositions, keyPositions, querySegments, keySegments;
  const View* bias;  // null: none
  int64_t biasStrides[3];  // of batch, head and query; 0 where one serves all
  const float* sinks;  // [H], null: none
  Attributes::List keyLengths;

  /** How many keys a row of the batch has. */
  WEFT_INLINE int64_t keysOf(int64_t b) const { return keyLengths.count < 0 ? Tk : keyLengths[b]; }
  WEFT_INLINE int64_t biasOffset(int64_t b, int64_t h, int64_t t) const { return b * biasStrides[0] + h * biasStrides[1] + t * biasStrides[2]; }
};

enum AttentionSlot : int { querySlot, keySlot, valueSlot, queryPositionSlot, keyPositionSlot, querySegmentSlot, keySegmentSlot, biasSlot, sinkSlot, outputSlot, logSumExpSlot, gradientSlot };

/** Reads and checks the inputs, and the attributes causal, window, softcap, scale and keyLengths. Not inside a parallel body. */
AttentionCall attentionCall(Run& run, Attributes& attributes);

/** @throws where a tensor has not the shape [d0, d1, d2, d3]. */
void requireHeads(Run& run, const char* name, const View& view, int64_t d0, int64_t d1, int64_t d2, int64_t d3);
/** The statistic [B, H, Tq], f32. */
float* attentionStatistic(Run& run, const AttentionCall& call, const View& view);

}  // namespace weft::WEFT_ISA
