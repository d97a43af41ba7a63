// Few queries against many keys, as when a model writes: what counts is that keys and values are read once, in order, by full vectors.
#pragma once
#include "attention-call.h"

namespace weft::WEFT_ISA {

/** Up to so many queries of one key head go this way. */
constexpr int64_t fewRows = VW / 2;

/**
 * All key heads of one row of the batch meet the keys `begin` … `end`. Their softmaxes, VW lanes wide, go to `out`, one behind the other.
 */
void attendFewRows(Run& run, int worker, const AttentionCall& call, int64_t b, int64_t begin, int64_t end, float* out);

}  // namespace weft::WEFT_ISA
