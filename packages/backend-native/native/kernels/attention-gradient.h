// What the parts of attention's backward pass share: the call, and the weights and the gradients of scores, made again for a block of queries
// and a piece of the keys (Dao et al. 2022, algorithm 4).
#pragma once
#include "attention-lanes.h"

namespace weft::WEFT_ISA {

/** Keys that a block meets at a time. */
constexpr int64_t gradientKeyStep = 64;

struct AttentionGradients {
  AttentionCall call;
  const View* gradient;         // [B, Tq, H, Dv]
  const float* logSumExp;       // [B, H, Tq]
  const float* along;           // [B, H, Tq]: the output times its gradient, summed over a head; null where nobody needs it
  const View* of[sinkSlot + 1];  // outputs by input slot; null: not asked for
  bool copiesKeys, copiesValues;

  /** Whether anything behind the weights is asked for. */
  WEFT_INLINE bool needsScores() const { return of[querySlot] != nullptr || of[keySlot] != nullptr; }
};

/** A block of queries, made ready. */
struct GradientLanes {
  LaneBlock block;
  LaneRules rules;
  int64_t stride;  // lanes
  float* queries;    // [Dh][stride], times queryFactor
  float* gradients;  // [Dv][stride]
  float* logSumExp;  // [stride], times log2 e
  float* along;      // [stride]

  static WEFT_INLINE int64_t floats(const AttentionCall& call, int64_t stride) { return (call.Dh + call.Dv + 2) * stride; }
};

/** Fills `lanes` for its block; its memory begins at `memory`. */
void fillGradientLanes(const AttentionGradients& all, GradientLanes& lanes, float* memory);

/** weights [count][stride] of keys key … key + count; slopes: those of the soft cap, where there is one. */
void weightsAgain(const AttentionGradients& all, const GradientLanes& lanes, Sight sight, Scalars keys, int64_t key, int64_t count, float* weights, float* slopes);

/** ofScores [count][stride] = weight · (value · gradient − along), times the slope where there is one. */
void gradientsOfScores(const AttentionGradients& all, const GradientLanes& lanes, Scalars values, int64_t count, const float* weights, const float* slopes, float* ofScores);

/** Gradients of q, k and v; of the bias. */
void attentionTokenGradients(Run& run, const AttentionGradients& all);
void attentionBiasGradient(Run& run, const AttentionGradients& all);

}  // namespace weft::WEFT_ISA
