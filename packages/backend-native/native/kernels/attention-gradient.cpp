#include "attention-gradient.h"

#include "attention-math.h"
#include "attention-scores.h"

namespace weft::WEFT_ISA {

void fillGradientLanes(const AttentionGradients& all, GradientLanes& lanes, float* memory) {
  const AttentionCall& call = all.call;
  lanes.queries = memory;
  lanes.gradients = lanes.queries + call.Dh * lanes.stride;
  lanes.logSumExp = lanes.gradients + call.Dv * lanes.stride;
  lanes.along = lanes.logSumExp + lanes.stride;
  toLanes(lanes.block, *call.q, queryFactor(call), lanes.queries, lanes.stride);
  toLanes(lanes.block, *all.gradient, 1, lanes.gradients, lanes.stride);
  statisticToLanes(call, lanes.block, all.logSumExp, log2OfE, lanes.logSumExp);
  if (all.along != nullptr) statisticToLanes(call, lanes.block, all.along, 1, lanes.along);
}

void weightsAgain(const AttentionGradients& all, const GradientLanes& lanes, Sight sight, Scalars keys, int64_t key, int64_t count, float* weights, float* slopes) {
  const AttentionCall& call = all.call;
  const LaneBlock& block = lanes.block;
  productOfRows(count, block.vectors(), call.Dh, keys, {lanes.queries, lanes.stride}, weights, lanes.stride, Into::set);
  if (needsFinish(call, sight)) finishScores(call, block, lanes.rules, sight, key, count, weights, lanes.stride, slopes);
  for (int64_t j = 0; j < count; j++)
    for (int lane = 0; lane < block.width; lane += VW) {
      float* at = weights + j * lanes.stride + lane;
      store(at, vexp2(load(at) - load(lanes.logSumExp + lane)));
    }
}

void gradientsOfScores(const AttentionGradients& all, const GradientLanes& lanes, Scalars values, int64_t count, const float* weights, const float* slopes, float* ofScores) {
  const LaneBlock& block = lanes.block;
  productOfRows(count, block.vectors(), all.call.Dv, values, {lanes.gradients, lanes.stride}, ofScores, lanes.stride, Into::set);
  for (int64_t j = 0; j < count; j++)
    for (int lane = 0; lane < block.width; lane += VW) {
      const int64_t place = j * lanes.stride + lane;
      vf x = load(weights + place) * (load(ofScores + place) - load(lanes.along + lane));
      if (slopes != nullptr) x *= load(slopes + place);
      store(ofScores + place, x);
    }
}

}  // namespace weft::WEFT_ISA
