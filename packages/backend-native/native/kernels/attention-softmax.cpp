#include "attention-softmax.h"

#include "attention-math.h"

namespace weft::WEFT_ISA {
namespace {

/** Below it a sum of weights is that of a lane that has seen nothing. */
constexpr float smallestTotal = 1e-30f;

vf highest(vf start, const float* scores, int64_t count, int64_t stride) {
  vf m0 = start, m1 = start, m2 = start, m3 = start;
  int64_t j = 0;
  for (; j + 4 <= count; j += 4, scores += 4 * stride) {
    m0 = vmax(load(scores), m0);
    m1 = vmax(load(scores + stride), m1);
    m2 = vmax(load(scores + 2 * stride), m2);
    m3 = vmax(load(scores + 3 * stride), m3);
  }
  for (; j < count; j++, scores += stride) m0 = vmax(load(scores), m0);
  return vmax(vmax(m0, m1), vmax(m2, m3));
}

}  // namespace

void clearSoftmax(const Softmax& softmax, int64_t size, int lanes) {
  for (int64_t d = 0; d < size; d++)
    for (int lane = 0; lane < lanes; lane += VW) store(softmax.mix + d * softmax.stride + lane, vf{});
  for (int lane = 0; lane < lanes; lane += VW) {
    store(softmax.peak + lane, splat(lowestPeak));
    store(softmax.total + lane, vf{});
  }
}

void weigh(const Softmax& softmax, int lanes, int64_t count, float* scores, int64_t stride, float* factors) {
  for (int lane = 0; lane < lanes; lane += VW) {
    const vf before = load(softmax.peak + lane);
    const vf peak = highest(before, scores + lane, count, stride);
    // Two sums, so that they do not wait for each other: even and odd keys.
    vf even = {}, odd = {};
    float* at = scores + lane;
    int64_t j = 0;
    for (; j + 2 <= count; j += 2, at += 2 * stride) {
      const vf first = vexp2(load(at) - peak);
      const vf second = vexp2(load(at + stride) - peak);
      even += first;
      odd += second;
      store(at, first);
      store(at + stride, second);
    }
    if (j < count) {
      const vf last = vexp2(load(at) - peak);
      even += last;
      store(at, last);
    }
    const vf factor = vexp2(before - peak);
    store(factors + lane, factor);
    store(softmax.total + lane, multiplyAdd(load(softmax.total + lane), factor, even + odd));
    store(softmax.peak + lane, peak);
  }
}

void mergeSoftmax(const Softmax& softmax, const Softmax& other, int64_t size, int lanes) {
  for (int lane = 0; lane < lanes; lane += VW) {
    const vf mine = load(softmax.peak + lane), theirs = load(other.peak + lane);
    const vf peak = vmax(mine, theirs);
    const vf myFactor = vexp2(mine - peak), theirFactor = vexp2(theirs - peak);
    store(softmax.peak + lane, peak);
    store(softmax.total + lane, multiplyAdd(load(softmax.total + lane), myFactor, load(other.total + lane) * theirFactor));
    for (int64_t d = 0; d < size; d++) {
      float* at = softmax.mix + d * softmax.stride + lane;
      store(at, multiplyAdd(load(at), myFactor, load(other.mix + d * other.stride + lane) * theirFactor));
    }
  }
}

void finishSoftmax(const AttentionCall& call, const LaneBlock& block, const Softmax& softmax, const View& out, float* logSumExp) {
  alignas(64) float factors[laneWidth], statistic[laneWidth];
  for (int lane = 0; lane < block.width; lane += VW) {
    vf peak = load(softmax.peak + lane);
    vf total = load(softmax.total + lane);
    vf factor = splat(1.0f);
    if (call.sinks != nullptr) {
      vf sink = {};
      for (int i = 0; i < VW; i++) sink[i] = call.sinks[block.head(min(lane + i, block.count - 1))] * log2OfE;
      const vf higher = vmax(sink, peak);
      factor = vexp2(peak - higher);
      total = multiplyAdd(total, factor, vexp2(sink - higher));
      peak = higher;
    }
    total = select(total < smallestTotal, splat(smallestTotal), total);
    store(factors + lane, factor / total);
    store(statistic + lane, select(peak == splat(lowestPeak), peak, multiplyAdd(peak, splat(ln2), vlog(total))));
  }
  fromLanes(block, softmax.mix, softmax.stride, factors, out, Into::set);
  if (logSumExp == nullptr) return;
  for (int lane = 0; lane < block.count; lane++) logSumExp[(block.b * call.H + block.head(lane)) * call.Tq + block.token(lane)] = statistic[lane];
}

}  // namespace weft::WEFT_ISA
