#include "attention-scores.h"

#include <cmath>
#include <type_traits>

#include "attention-math.h"

namespace weft::WEFT_ISA {
namespace {

void capScores(const AttentionCall& call, const LaneBlock& block, int64_t count, float* scores, int64_t stride, float* slopes) {
  const float height = call.softcap * log2OfE;
  for (int64_t j = 0; j < count; j++)
    for (int lane = 0; lane < block.width; lane += VW) {
      float* at = scores + j * stride + lane;
      const vf t = vtanh(load(at));
      store(at, t * height);
      if (slopes != nullptr) store(slopes + j * stride + lane, 1.0f - t * t);
    }
}

template <class T> void addBias(const AttentionCall& call, const LaneBlock& block, int64_t key, int64_t count, float* scores, int64_t stride) {
  for (int first = 0; first < block.width; first += VW) {
    const T* rows[VW];
    for (int i = 0; i < VW; i++) {
      const int lane = min(first + i, block.count - 1);
      rows[i] = call.bias->as<T>() + call.biasOffset(block.b, block.head(lane), block.token(lane)) + key;
    }
    for (int64_t j = 0; j < count; j += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, count - j));
      vf square[VW];
      for (int i = 0; i < VW; i++) square[i] = loadAs(rows[i] + j, n) * log2OfE;
      transpose(square);
      for (int i = 0; i < n; i++) {
        float* at = scores + (j + i) * stride + first;
        store(at, load(at) + square[i]);
      }
    }
  }
}

void hideKeys(const AttentionCall& call, const LaneBlock& block, const LaneRules& rules, int64_t key, int64_t count, float* scores, int64_t stride) {
  const int32_t* positions = call.keyPositions.data == nullptr ? nullptr : call.keyPositions.data + block.b * call.keyPositions.batchStride + key;
  const int32_t* segments = call.keySegments.data == nullptr ? nullptr : call.keySegments.data + block.b * call.keySegments.batchStride + key;
  const vf never = splat(-INFINITY);
  for (int lane = 0; lane < block.width; lane += VW) {
    const vi low = loadInt(rules.low + lane), high = loadInt(rules.high + lane), segment = loadInt(rules.segment + lane);
    for (int64_t j = 0; j < count; j++) {
      const vi position = splatInt(positions == nullptr ? static_cast<int32_t>(key + j) : positions[j]);
      vi isSeen = (position > low) & (position <= high);
      if (segments != nullptr) isSeen &= segment == splatInt(segments[j]);
      float* at = scores + j * stride + lane;
      store(at, select(isSeen, load(at), never));
    }
  }
}

}  // namespace

float queryFactor(const AttentionCall& call) { return call.softcap > 0 ? call.scale / call.softcap : call.scale * log2OfE; }

void finishScores(const AttentionCall& call, const LaneBlock& block, const LaneRules& rules, Sight sight, int64_t key, int64_t count, float* scores, int64_t stride, float* slopes) {
  if (call.softcap > 0) capScores(call, block, count, scores, stride, slopes);
  if (call.bias != nullptr)
    withFloatType(call.bias->dtype, "attention", [&](auto* type) { addBias<std::remove_pointer_t<decltype(type)>>(call, block, key, count, scores, stride); });
  if (sight == Sight::some) hideKeys(call, block, rules, key, count, scores, stride);
}

}  // namespace weft::WEFT_ISA
