// The gradients of queries, keys and values in one pass of five products: a task owns a range of the keys of one head, whose
// gradients it sums up, and adds to the gradients of the queries what comes from its range. Ranges are part of the definition of the
// result: one task may do them one after the other, or each goes to a task of its own and the sums are made afterwards, in the same order.
#include <type_traits>

#include "attention-gradient.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t rangeKeys = 256;
constexpr int64_t maxPieces = rangeKeys / gradientKeyStep;
/** With fewer heads a thread, ranges are divided among tasks. */
constexpr int64_t headsPerWorker = 4;
constexpr int64_t taskWork = 1 << 20;

int64_t padded(int64_t size) { return ceilDiv(size, VW) * VW; }

struct TaskMemory {
  float* lanes;
  float* queryRows;     // [lanes][padded Dh]
  float* gradientRows;  // [lanes][padded Dv]
  float* weights;       // [gradientKeyStep][lanes]
  float* ofScores;
  float* slopes;  // null without a soft cap
  float* ofQueries;  // [Dh][lanes]
  float* ofKeys;     // [rangeKeys][padded Dh]
  float* ofValues;   // [rangeKeys][padded Dv]
  float* keys;       // [rangeKeys][Dh], where they are copied
  float* values;
};

/** Hands out parts of a piece of memory; of none: counts only. */
struct Carver {
  float* memory;
  int64_t used = 0;
  float* take(int64_t floats) {
    float* part = memory == nullptr ? nullptr : memory + used;
    used += floats;
    return part;
  }
};

TaskMemory layOut(const AttentionGradients& all, Carver& carver) {
  const AttentionCall& call = all.call;
  const int64_t lanes = laneWidth, keySize = padded(call.Dh), valueSize = padded(call.Dv);
  TaskMemory memory{};
  memory.lanes = carver.take(GradientLanes::floats(call, lanes));
  memory.queryRows = carver.take(lanes * keySize);
  memory.gradientRows = carver.take(lanes * valueSize);
  memory.weights = carver.take(gradientKeyStep * lanes);
  memory.ofScores = carver.take(gradientKeyStep * lanes);
  if (call.softcap > 0) memory.slopes = carver.take(gradientKeyStep * lanes);
  memory.ofQueries = carver.take(call.Dh * lanes);
  memory.ofKeys = carver.take(rangeKeys * keySize);
  memory.ofValues = carver.take(rangeKeys * valueSize);
  if (all.copiesKeys) memory.keys = carver.take(rangeKeys * call.Dh);
  if (all.copiesValues) memory.values = carver.take(rangeKeys * call.Dv);
  return memory;
}

TaskMemory memoryOf(Run& run, int worker, const AttentionGradients& all) {
  Carver counting{nullptr};
  layOut(all, counting);
  Carver carver{run.scratchOf<float>(worker, 0, counting.used)};
  return layOut(all, carver);
}

struct Range {
  int64_t b, head, begin, end;  // end: of the keys that the row has
};

struct RangeKeys {
  Scalars keys, values;
};

WEFT_INLINE Scalars rowsFrom(Scalars rows, int64_t first) { return {rows.data + first * rows.stride, rows.stride}; }

/** @returns whether the block sees any of the range. */
bool sightsOf(const AttentionCall& call, const GradientLanes& lanes, const Range& range, int64_t end, Sight sights[maxPieces]) {
  bool any = false;
  for (int64_t piece = 0, key = range.begin; key < end; piece++, key += gradientKeyStep) {
    sights[piece] = sightOf(call, range.b, lanes.rules, key, min(gradientKeyStep, end - key));
    any = any || sights[piece] != Sight::none;
  }
  return any;
}

/** One block of queries and one piece of the keys. @returns how the next piece adds to the gradients of the queries. */
Into meetPiece(const AttentionGradients& all, const TaskMemory& memory, const GradientLanes& lanes, Sight sight, const RangeKeys& source, const Range& range, int64_t key, int64_t count, Into into) {
  const AttentionCall& call = all.call;
  const LaneBlock& block = lanes.block;
  const int64_t place = key - range.begin;
  const Scalars keys = rowsFrom(source.keys, place);
  weightsAgain(all, lanes, sight, keys, key, count, memory.weights, memory.slopes);
  if (all.of[valueSlot] != nullptr) {
    const int64_t width = padded(call.Dv);
    productOfRows(count, static_cast<int>(width / VW), block.count, {memory.weights, lanes.stride}, {memory.gradientRows, width}, memory.ofValues + place * width, width, Into::add);
  }
  if (!all.needsScores()) return into;
  gradientsOfScores(all, lanes, rowsFrom(source.values, place), count, memory.weights, memory.slopes, memory.ofScores);
  if (all.of[keySlot] != nullptr) {
    const int64_t width = padded(call.Dh);
    productOfRows(count, static_cast<int>(width / VW), block.count, {memory.ofScores, lanes.stride}, {memory.queryRows, width}, memory.ofKeys + place * width, width, Into::add);
  }
  if (all.of[querySlot] != nullptr) productOfColumns(call.Dh, block.vectors(), count, keys, {memory.ofScores, lanes.stride}, memory.ofQueries, lanes.stride, into);
  return Into::add;
}

/** One block of queries against a range; ofQueries [B, Tq, H, Dh] is set where the range is to begin it, else added to. */
void meetRange(const AttentionGradients& all, const TaskMemory& memory, const RangeKeys& source, const Range& range, int64_t firstRow, const View* ofQueries, Into into) {
  const AttentionCall& call = all.call;
  GradientLanes lanes;
  lanes.block = groupBlock(call, range.b, range.head, firstRow, laneWidth);
  lanes.stride = laneWidth;
  readRules(call, lanes.block, lanes.rules);
  const int64_t end = min(range.end, endOfSight(call, range.b, lanes.rules));
  Sight sights[maxPieces];
  Into next = Into::set;
  if (sightsOf(call, lanes, range, end, sights)) {
    fillGradientLanes(all, lanes, memory.lanes);
    if (all.of[keySlot] != nullptr) toRows(lanes.block, *call.q, memory.queryRows, padded(call.Dh));
    if (all.of[valueSlot] != nullptr) toRows(lanes.block, *all.gradient, memory.gradientRows, padded(call.Dv));
    for (int64_t piece = 0, key = range.begin; key < end; piece++, key += gradientKeyStep)
      if (sights[piece] != Sight::none) next = meetPiece(all, memory, lanes, sights[piece], source, range, key, min(gradientKeyStep, end - key), next);
  }
  if (ofQueries == nullptr || (next == Into::set && into == Into::add)) return;
  if (next == Into::set) memset(memory.ofQueries, 0, static_cast<size_t>(call.Dh * laneWidth) * sizeof(float));
  alignas(64) float factors[laneWidth];
  for (int lane = 0; lane < laneWidth; lane += VW) store(factors + lane, splat(call.scale));
  fromLanes(lanes.block, memory.ofQueries, lanes.stride, factors, *ofQueries, into);
}

/** Rows of one head of [B, Tk, K, D], from sums [rows][padded D] times a factor. */
void writeKeyRows(const View* out, const Range& range, int64_t rows, const float* sums, float factor) {
  if (out == nullptr) return;
  const int64_t size = out->dims[3], width = padded(size), stride = out->dims[2] * size;
  withFloatType(out->dtype, "attentionBackward", [&](auto* type) {
    auto* row = out->as<std::remove_pointer_t<decltype(type)>>() + (range.b * out->dims[1] + range.begin) * stride + range.head * size;
    for (int64_t i = 0; i < rows; i++, row += stride, sums += width)
      for (int64_t d = 0; d < size; d += VW) storeAs(row + d, load(sums + d) * factor, static_cast<int>(min<int64_t>(VW, size - d)));
  });
}

void gradientsOfRange(Run& run, int worker, const AttentionGradients& all, int64_t b, int64_t head, int64_t index, const View* ofQueries, Into into) {
  const AttentionCall& call = all.call;
  const TaskMemory memory = memoryOf(run, worker, all);
  const int64_t begin = index * rangeKeys;
  const int64_t rows = min(rangeKeys, call.Tk - begin);
  const Range range{b, head, begin, min(begin + rangeKeys, call.keysOf(b))};
  const int64_t seen = max<int64_t>(0, range.end - begin);
  if (all.of[keySlot] != nullptr) memset(memory.ofKeys, 0, static_cast<size_t>(rows * padded(call.Dh)) * sizeof(float));
  if (all.of[valueSlot] != nullptr) memset(memory.ofValues, 0, static_cast<size_t>(rows * padded(call.Dv)) * sizeof(float));
  const RangeKeys source{keyRows(*call.k, all.copiesKeys, b, head, begin, seen, memory.keys), keyRows(*call.v, all.copiesValues, b, head, begin, seen, memory.values)};
  for (int64_t row = 0; row < call.Tq * call.G; row += laneWidth) meetRange(all, memory, source, range, row, ofQueries, into);
  writeKeyRows(all.of[keySlot], range, rows, memory.ofKeys, call.scale);
  writeKeyRows(all.of[valueSlot], range, rows, memory.ofValues, 1);
}

/** out = the sum of `count` arrays of floats that lie one behind the other, in that order. */
void addUp(Run& run, const float* parts, int64_t count, const View& out) {
  const int64_t size = out.size;
  withFloatType(out.dtype, "attentionBackward", [&](auto* type) {
    auto* to = out.as<std::remove_pointer_t<decltype(type)>>();
    run.parallelRanges(size, 1 << 16, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; i += VW) {
        const int n = static_cast<int>(min<int64_t>(VW, end - i));
        vf sum = loadAs(parts + i, n);
        for (int64_t part = 1; part < count; part++) sum += loadAs(parts + part * size + i, n);
        storeAs(to + i, sum, n);
      }
    });
  });
}

}  // namespace

void attentionTokenGradients(Run& run, const AttentionGradients& all) {
  const AttentionCall& call = all.call;
  const auto isEmpty = [](const View* out) { return out == nullptr || out->size == 0; };
  if (isEmpty(all.of[querySlot]) && isEmpty(all.of[keySlot]) && isEmpty(all.of[valueSlot])) return;
  const int64_t heads = call.B * call.K;
  const int64_t ranges = max<int64_t>(1, ceilDiv(call.Tk, rangeKeys));
  const View* ofQueries = all.of[querySlot];
  const bool isDivided = ranges > 1 && heads < headsPerWorker * run.workers() && run.workers() > 1;
  // Sums of several ranges need floats.
  View sums;
  float* parts = nullptr;
  if (ofQueries != nullptr && ranges > 1 && (isDivided || ofQueries->dtype != DType::f32)) {
    sums = *ofQueries;
    sums.dtype = DType::f32;
    parts = run.temporaryOf<float>((isDivided ? ranges : 1) * sums.size);
    sums.data = parts;
  }
  const View* target = parts == nullptr ? ofQueries : &sums;
  if (isDivided) {
    run.parallel(heads * ranges, [&](int64_t task, int worker) {
      const int64_t range = task % ranges, head = task / ranges;
      View own = sums;
      if (parts != nullptr) own.data = parts + range * sums.size;
      gradientsOfRange(run, worker, all, head / call.K, head % call.K, range, parts == nullptr ? nullptr : &own, Into::set);
    });
  } else {
    const int64_t work = max<int64_t>(1, call.Tq * call.G * call.Tk * (3 * call.Dh + 2 * call.Dv));
    run.parallelRanges(heads, max<int64_t>(1, taskWork / work), [&](int64_t begin, int64_t end, int worker) {
      for (int64_t head = begin; head < end; head++)
        for (int64_t range = 0; range < ranges; range++) gradientsOfRange(run, worker, all, head / call.K, head % call.K, range, target, range == 0 ? Into::set : Into::add);
    });
  }
  if (parts != nullptr) addUp(run, parts, isDivided ? ranges : 1, *ofQueries);
}

}  // namespace weft::WEFT_ISA
