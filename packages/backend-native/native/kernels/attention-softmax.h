// The running softmax of a block of queries: values mixed so far, the highest score, the sum of weights; how two of them become one, and
// how the last one becomes output.
#pragma once
#include "attention-lanes.h"

namespace weft::WEFT_ISA {

/** The peak of a lane that has seen nothing: finite, so that differences are. */
constexpr float lowestPeak = -1e30f;

/** Scores are times log2 e. Weights are 2^(score − peak). */
struct Softmax {
  float* mix;    // [Dv][stride]: Σ weight · value
  float* peak;   // [lanes]
  float* total;  // [lanes]: Σ weight
  int64_t stride;

  static WEFT_INLINE int64_t floats(int64_t size, int64_t lanes) { return (size + 2) * lanes; }
  static WEFT_INLINE Softmax in(float* memory, int64_t size, int64_t lanes) { return {memory, memory + size * lanes, memory + (size + 1) * lanes, lanes}; }
};

void clearSoftmax(const Softmax& softmax, int64_t size, int lanes);

/** scores [count][stride] become weights; the peak and the total follow; factors: by what the mix so far is to be multiplied. */
void weigh(const Softmax& softmax, int lanes, int64_t count, float* scores, int64_t stride, float* factors);

/** Adds what other keys gave. */
void mergeSoftmax(const Softmax& softmax, const Softmax& other, int64_t size, int lanes);

/** Writes output and, where it is not null, log-sum-exp. */
void finishSoftmax(const AttentionCall& call, const LaneBlock& block, const Softmax& softmax, const View& out, float* logSumExp);

}  // namespace weft::WEFT_ISA
