// From products of queries and keys to scores times log2 e: soft cap, bias, and −∞ where a lane does not see a key.
#pragma once
#include "attention-lanes.h"

namespace weft::WEFT_ISA {

/** What queries are to be multiplied by, so that their products with keys are what `finishScores` takes. */
float queryFactor(const AttentionCall& call);

/** Whether anything is to be done at all. */
WEFT_INLINE bool needsFinish(const AttentionCall& call, Sight sight) { return sight == Sight::some || call.softcap > 0 || call.bias != nullptr; }

/**
 * scores [count][stride]: keys key … key + count, a lane each query. `slopes`, laid out alike, receives the derivatives of the soft cap;
 * null: not wanted.
 */
void finishScores(const AttentionCall& call, const LaneBlock& block, const LaneRules& rules, Sight sight, int64_t key, int64_t count, float* scores, int64_t stride, float* slopes);

}  // namespace weft::WEFT_ISA
