// Blocks of queries with a query in each lane: which they are, what each of them may see, how they get into lanes and back.
#pragma once
#include "attention-call.h"
#include "attention-tiles.h"

namespace weft::WEFT_ISA {

/**
 * Lane i holds row `first` + i of the rows that `heads` heads from `firstHead` on make: token row / heads, head firstHead + row % heads.
 * All of these heads read the keys of `keyHead`.
 */
struct LaneBlock {
  int64_t b, keyHead;
  int64_t firstHead, heads;
  int64_t first;
  int count;  // lanes in use
  int width;  // lanes, a multiple of VW, laneWidth at most

  WEFT_INLINE int64_t token(int lane) const { return heads == 1 ? first + lane : (first + lane) / heads; }
  WEFT_INLINE int64_t head(int lane) const { return heads == 1 ? firstHead : firstHead + (first + lane) % heads; }
  WEFT_INLINE int vectors() const { return width / VW; }
};

/** The block of `capacity` lanes that begins at a row of the heads of a group. */
WEFT_INLINE LaneBlock groupBlock(const AttentionCall& call, int64_t b, int64_t keyHead, int64_t first, int capacity) {
  const int count = static_cast<int>(min<int64_t>(capacity, call.Tq * call.G - first));
  return {b, keyHead, keyHead * call.G, call.G, first, count, static_cast<int>(ceilDiv(count, VW)) * VW};
}

/** Lane i sees a key of position p ≥ 0 where low[i] < p ≤ high[i] and the segments agree. */
struct LaneRules {
  alignas(64) int32_t low[laneWidth], high[laneWidth], segment[laneWidth];
  int32_t minLow, maxLow, minHigh, maxHigh, minSegment, maxSegment;
};

void readRules(const AttentionCall& call, const LaneBlock& block, LaneRules& rules);

enum class Sight : int { none, all, some };

/** What the lanes see of the keys key … key + count. */
Sight sightOf(const AttentionCall& call, int64_t b, const LaneRules& rules, int64_t key, int64_t count);

/** Keys from here on are hidden from all lanes. */
WEFT_INLINE int64_t endOfSight(const AttentionCall& call, int64_t b, const LaneRules& rules) {
  const int64_t keys = call.keysOf(b);
  return call.keyPositions.data == nullptr ? max<int64_t>(0, min<int64_t>(keys, int64_t{rules.maxHigh} + 1)) : keys;
}

/** out[d][lane] = factor · x[b, token, head, d] of x [B, Tq, H, D]; 0 in lanes not in use. */
void toLanes(const LaneBlock& block, const View& x, float factor, float* out, int64_t stride);
/** out[lane][d] = x[b, token, head, d]; 0 in lanes not in use and for D ≤ d < stride. */
void toRows(const LaneBlock& block, const View& x, float* out, int64_t stride);
/** x[b, token, head, d] = from[d][lane] · factors[lane], or, where x is f32, is added to. */
void fromLanes(const LaneBlock& block, const float* from, int64_t stride, const float* factors, const View& x, Into into);
/** A statistic [B, H, Tq] times a factor; 0 in lanes not in use. */
void statisticToLanes(const AttentionCall& call, const LaneBlock& block, const float* statistic, float factor, float* out);

/** Whether keys and values are to be copied before use: a product reads floats. */
WEFT_INLINE bool isKeyCopyNeeded(const View& keys) { return keys.dtype != DType::f32; }
/** Rows key … key + count of keys [B, Tk, K, D] of one head: where they lie, or copied to `memory` [count][D]. */
Scalars keyRows(const View& keys, bool isCopyNeeded, int64_t b, int64_t head, int64_t key, int64_t count, float* memory);

}  // namespace weft::WEFT_ISA
