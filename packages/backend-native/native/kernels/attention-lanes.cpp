#include "attention-lanes.h"

#include <type_traits>

#include "attention-math.h"

namespace weft::WEFT_ISA {
namespace {

int32_t clampToInt(int64_t x) { return static_cast<int32_t>(max<int64_t>(INT32_MIN, min<int64_t>(INT32_MAX, x))); }

struct Extent {
  int32_t least = INT32_MAX, greatest = INT32_MIN;
  WEFT_INLINE void add(int32_t x) {
    least = min(least, x);
    greatest = max(greatest, x);
  }
};

Extent extentOf(const int32_t* numbers, int64_t count) {
  Extent extent;
  for (int64_t i = 0; i < count; i++) extent.add(numbers[i]);
  return extent;
}

/** Where a lane's row begins in [B, T, H, D]. */
WEFT_INLINE int64_t rowOf(const LaneBlock& block, const View& x, int lane) {
  return ((block.b * x.dims[1] + block.token(lane)) * x.dims[2] + block.head(lane)) * x.dims[3];
}

template <class T> void lanesOf(const LaneBlock& block, const View& x, float factor, float* out, int64_t stride) {
  const int64_t size = x.dims[3];
  for (int first = 0; first < block.width; first += VW) {
    const int used = max(0, min(VW, block.count - first));
    const T* rows[VW];
    for (int i = 0; i < used; i++) rows[i] = x.as<T>() + rowOf(block, x, first + i);
    for (int64_t d = 0; d < size; d += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, size - d));
      vf square[VW];
      for (int i = 0; i < VW; i++) square[i] = i < used ? loadAs(rows[i] + d, n) * factor : vf{};
      transpose(square);
      for (int i = 0; i < n; i++) store(out + (d + i) * stride + first, square[i]);
    }
  }
}

template <class T> void rowsFromLanes(const LaneBlock& block, const float* from, int64_t stride, const float* factors, const View& x, Into into) {
  const int64_t size = x.dims[3];
  for (int first = 0; first < block.count; first += VW) {
    const int used = min(VW, block.count - first);
    T* rows[VW];
    for (int i = 0; i < used; i++) rows[i] = x.as<T>() + rowOf(block, x, first + i);
    const vf factor = load(factors + first);
    for (int64_t d = 0; d < size; d += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, size - d));
      vf square[VW];
      for (int i = 0; i < VW; i++) square[i] = i < n ? load(from + (d + i) * stride + first) * factor : vf{};
      transpose(square);
      for (int i = 0; i < used; i++) storeAs(rows[i] + d, into == Into::add ? loadAs(rows[i] + d, n) + square[i] : square[i], n);
    }
  }
}

}  // namespace

void readRules(const AttentionCall& call, const LaneBlock& block, LaneRules& rules) {
  const int64_t keys = call.keysOf(block.b);
  const int32_t* positions = call.queryPositions.data == nullptr ? nullptr : call.queryPositions.data + block.b * call.queryPositions.batchStride;
  const int32_t* segments = call.querySegments.data == nullptr ? nullptr : call.querySegments.data + block.b * call.querySegments.batchStride;
  Extent low, high, segment;
  for (int lane = 0; lane < block.width; lane++) {
    const int64_t token = block.token(min(lane, block.count - 1));  // lanes not in use do as the last one does
    const int64_t position = positions == nullptr ? keys - call.Tq + token : positions[token];
    rules.low[lane] = call.window > 0 ? clampToInt(max<int64_t>(-1, position - call.window)) : -1;
    rules.high[lane] = call.isCausal ? clampToInt(position) : INT32_MAX;
    rules.segment[lane] = segments == nullptr ? 0 : segments[token];
    low.add(rules.low[lane]);
    high.add(rules.high[lane]);
    segment.add(rules.segment[lane]);
  }
  rules.minLow = low.least;
  rules.maxLow = low.greatest;
  rules.minHigh = high.least;
  rules.maxHigh = high.greatest;
  rules.minSegment = segment.least;
  rules.maxSegment = segment.greatest;
}

Sight sightOf(const AttentionCall& call, int64_t b, const LaneRules& rules, int64_t key, int64_t count) {
  Extent positions;
  if (call.keyPositions.data == nullptr) positions = {static_cast<int32_t>(key), static_cast<int32_t>(key + count - 1)};
  else positions = extentOf(call.keyPositions.data + b * call.keyPositions.batchStride + key, count);
  if (positions.least > rules.maxHigh || positions.greatest <= rules.minLow) return Sight::none;
  bool areAllSeen = positions.least > rules.maxLow && positions.greatest <= rules.minHigh;
  if (call.keySegments.data != nullptr) {
    const Extent segments = extentOf(call.keySegments.data + b * call.keySegments.batchStride + key, count);
    if (segments.least > rules.maxSegment || segments.greatest < rules.minSegment) return Sight::none;
    areAllSeen = areAllSeen && segments.least == segments.greatest && rules.minSegment == rules.maxSegment && segments.least == rules.minSegment;
  }
  return areAllSeen ? Sight::all : Sight::some;
}

void toLanes(const LaneBlock& block, const View& x, float factor, float* out, int64_t stride) {
  withFloatType(x.dtype, "attention", [&](auto* type) { lanesOf<std::remove_pointer_t<decltype(type)>>(block, x, factor, out, stride); });
}

void toRows(const LaneBlock& block, const View& x, float* out, int64_t stride) {
  const int64_t size = x.dims[3];
  withFloatType(x.dtype, "attention", [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    for (int lane = 0; lane < block.width; lane++, out += stride) {
      const bool isUsed = lane < block.count;
      const T* row = isUsed ? x.as<T>() + rowOf(block, x, lane) : nullptr;
      for (int64_t d = 0; d < stride; d += VW) {
        const int n = static_cast<int>(max<int64_t>(0, min<int64_t>(VW, size - d)));
        store(out + d, isUsed && n > 0 ? loadAs(row + d, n) : vf{});
      }
    }
  });
}

void fromLanes(const LaneBlock& block, const float* from, int64_t stride, const float* factors, const View& x, Into into) {
  withFloatType(x.dtype, "attention", [&](auto* type) { rowsFromLanes<std::remove_pointer_t<decltype(type)>>(block, from, stride, factors, x, into); });
}

void statisticToLanes(const AttentionCall& call, const LaneBlock& block, const float* statistic, float factor, float* out) {
  for (int lane = 0; lane < block.width; lane++)
    out[lane] = lane < block.count ? statistic[(block.b * call.H + block.head(lane)) * call.Tq + block.token(lane)] * factor : 0;
}

Scalars keyRows(const View& keys, bool isCopyNeeded, int64_t b, int64_t head, int64_t key, int64_t count, float* memory) {
  const int64_t size = keys.dims[3];
  const int64_t stride = keys.dims[2] * size;
  const int64_t place = (b * keys.dims[1] + key) * stride + head * size;
  if (!isCopyNeeded) return {keys.as<float>() + place, stride};
  withFloatType(keys.dtype, "attention", [&](auto* type) {
    const auto* row = keys.as<std::remove_pointer_t<decltype(type)>>() + place;
    float* out = memory;
    for (int64_t i = 0; i < count; i++, row += stride, out += size)
      for (int64_t d = 0; d < size; d += VW) {
        const int n = static_cast<int>(min<int64_t>(VW, size - d));
        storeAs(out + d, loadAs(row + d, n), n);
      }
  });
  return {memory, size};
}

}  // namespace weft::WEFT_ISA
