#include "attention-few.h"

#include <cmath>
#include <type_traits>

#include "attention-math.h"
#include "attention-scores.h"
#include "attention-softmax.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t keyStep = 64;

int64_t padded(int64_t size) { return ceilDiv(size, VW) * VW; }

/** What one key head keeps between pieces of keys. Scores of a query lie in a row here, a key in each lane. */
struct FewHead {
  LaneBlock block;
  LaneRules rules;
  float* queries;  // [rows][padded Dh]
  float* mix;      // [rows][padded Dv]
  float peak[fewRows], total[fewRows];
};

/** One head's rows of a piece of the keys. */
template <class T> struct Rows {
  const T* data;
  int64_t stride;
};

template <class T> Rows<T> rowsAt(const View& keys, int64_t b, int64_t head, int64_t key) {
  const int64_t stride = keys.dims[2] * keys.dims[3];
  return {keys.as<T>() + (b * keys.dims[1] + key) * stride + head * keys.dims[3], stride};
}

/** Rows of one head lie apart: too short a run for the processor to see where it goes. A hint may name any address. */
template <class T> WEFT_INLINE void fetchAhead(Rows<T> rows, const T* row, int64_t size) {
  constexpr int64_t distance = 8;
  const char* at = reinterpret_cast<const char*>(row) + distance * rows.stride * static_cast<int64_t>(sizeof(T));
  for (int64_t line = 0; line < size * static_cast<int64_t>(sizeof(T)); line += 64) __builtin_prefetch(at + line);
}

/** Adds to sums[r][i] the product of query r and key i, over V vectors of a head, of which the last has `last` elements. */
template <class T, int R, int V> WEFT_INLINE void dotTile(const float* queries, int64_t stride, Rows<T> keys, int count, int last, vf sums[R][VW]) {
  vf query[R][V];
#pragma GCC unroll 4
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) query[r][v] = load(queries + r * stride + v * VW);
  const T* key = keys.data;
  for (int i = 0; i < count; i++, key += keys.stride) {
    fetchAhead(keys, key, V * VW);
    vf sum[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) sum[r] = sums[r][i];
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) {
      const vf x = loadAs(key + v * VW, v + 1 == V ? last : VW);
#pragma GCC unroll 4
      for (int r = 0; r < R; r++) sum[r] = multiplyAdd(x, query[r][v], sum[r]);
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) sums[r][i] = sum[r];
  }
}

/** scores[r][j] of R queries and the keys of a piece. */
template <class T, int R> void scoreRows(const float* queries, int64_t size, Rows<T> keys, int64_t count, float* scores) {
  const int64_t stride = padded(size);
  for (int64_t j = 0; j < count; j += VW) {
    const int n = static_cast<int>(min<int64_t>(VW, count - j));
    const T* first = keys.data + j * keys.stride;
    vf sums[R][VW] = {};
    int64_t d = 0;
    for (; d + 4 * VW <= size; d += 4 * VW) dotTile<T, R, 4>(queries + d, stride, {first + d, keys.stride}, n, VW, sums);
    for (; d < size; d += VW) dotTile<T, R, 1>(queries + d, stride, {first + d, keys.stride}, n, static_cast<int>(min<int64_t>(VW, size - d)), sums);
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) store(scores + r * keyStep + j, sumsOfLanes(sums[r]));
  }
}

template <class T> void scoreKeys(const FewHead& head, int64_t size, Rows<T> keys, int64_t count, float* scores) {
  const int rows = head.block.count;
  const int64_t stride = padded(size);
  int r = 0;
  for (; r + 4 <= rows; r += 4) scoreRows<T, 4>(head.queries + r * stride, size, keys, count, scores + r * keyStep);
  for (; r + 2 <= rows; r += 2) scoreRows<T, 2>(head.queries + r * stride, size, keys, count, scores + r * keyStep);
  if (r < rows) scoreRows<T, 1>(head.queries + r * stride, size, keys, count, scores + r * keyStep);
}

/** What `finishScores` does, for one query. */
void finishRow(const AttentionCall& call, const FewHead& head, int row, Sight sight, int64_t key, int64_t count, float* scores) {
  const LaneBlock& block = head.block;
  const int64_t vectors = ceilDiv(count, VW);
  if (call.softcap > 0)
    for (int64_t i = 0; i < vectors; i++) store(scores + i * VW, vtanh(load(scores + i * VW)) * (call.softcap * log2OfE));
  if (call.bias != nullptr)
    withFloatType(call.bias->dtype, "attention", [&](auto* type) {
      const auto* bias = call.bias->as<std::remove_pointer_t<decltype(type)>>() + call.biasOffset(block.b, block.head(row), block.token(row)) + key;
      for (int64_t j = 0; j < count; j += VW) store(scores + j, load(scores + j) + loadAs(bias + j, static_cast<int>(min<int64_t>(VW, count - j))) * log2OfE);
    });
  if (sight != Sight::some) return;
  const int32_t* positions = call.keyPositions.data == nullptr ? nullptr : call.keyPositions.data + block.b * call.keyPositions.batchStride + key;
  const int32_t* segments = call.keySegments.data == nullptr ? nullptr : call.keySegments.data + block.b * call.keySegments.batchStride + key;
  for (int64_t j = 0; j < count; j++) {
    const int32_t position = positions == nullptr ? static_cast<int32_t>(key + j) : positions[j];
    const bool isSeen = position > head.rules.low[row] && position <= head.rules.high[row] && (segments == nullptr || segments[j] == head.rules.segment[row]);
    if (!isSeen) scores[j] = -INFINITY;
  }
}

/** What `weigh` does, for one query. @returns the factor of the mix so far. */
float weighRow(FewHead& head, int row, int64_t count, float* scores) {
  for (int64_t j = count; j < padded(count); j++) scores[j] = -INFINITY;
  vf highest = splat(head.peak[row]);
  for (int64_t j = 0; j < count; j += VW) highest = vmax(load(scores + j), highest);
  const float peak = maxLanes(highest);
  vf sum = {};
  for (int64_t j = 0; j < count; j += VW) {
    const vf weight = vexp2(load(scores + j) - peak);
    sum += weight;
    store(scores + j, weight);
  }
  const float factor = vexp2(splat(head.peak[row] - peak))[0];
  head.total[row] = head.total[row] * factor + sumLanes(sum);
  head.peak[row] = peak;
  return factor;
}

/** mix[r][d …] = mix · factor + Σ weight · value, for R queries and V vectors, of which the last has `last` elements. */
template <class T, int R, int V> WEFT_INLINE void mixTile(float* mix, int64_t mixStride, const float* factors, Rows<T> values, int64_t count, const float* weights, int last) {
  vf sums[R][V];
#pragma GCC unroll 4
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) sums[r][v] = load(mix + r * mixStride + v * VW) * factors[r];
  const T* value = values.data;
  for (int64_t j = 0; j < count; j++, value += values.stride) {
    fetchAhead(values, value, V * VW);
    vf x[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) x[v] = loadAs(value + v * VW, v + 1 == V ? last : VW);
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
      const vf weight = splat(weights[r * keyStep + j]);
#pragma GCC unroll 4
      for (int v = 0; v < V; v++) sums[r][v] = multiplyAdd(weight, x[v], sums[r][v]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) store(mix + r * mixStride + v * VW, sums[r][v]);
}

template <class T, int R> void mixRows(float* mix, int64_t size, const float* factors, Rows<T> values, int64_t count, const float* weights) {
  const int64_t stride = padded(size);
  int64_t d = 0;
  for (; d + 4 * VW <= size; d += 4 * VW) mixTile<T, R, 4>(mix + d, stride, factors, {values.data + d, values.stride}, count, weights, VW);
  for (; d < size; d += VW)
    mixTile<T, R, 1>(mix + d, stride, factors, {values.data + d, values.stride}, count, weights, static_cast<int>(min<int64_t>(VW, size - d)));
}

template <class T> void mixValues(const FewHead& head, int64_t size, const float* factors, Rows<T> values, int64_t count, const float* weights) {
  const int rows = head.block.count;
  const int64_t stride = padded(size);
  int r = 0;
  for (; r + 4 <= rows; r += 4) mixRows<T, 4>(head.mix + r * stride, size, factors + r, values, count, weights + r * keyStep);
  for (; r + 2 <= rows; r += 2) mixRows<T, 2>(head.mix + r * stride, size, factors + r, values, count, weights + r * keyStep);
  if (r < rows) mixRows<T, 1>(head.mix + r * stride, size, factors + r, values, count, weights + r * keyStep);
}

template <class T> void meetKeys(const AttentionCall& call, FewHead& head, int64_t key, int64_t count) {
  const LaneBlock& block = head.block;
  const Sight sight = sightOf(call, block.b, head.rules, key, count);
  if (sight == Sight::none) return;
  alignas(64) float scores[fewRows * keyStep];
  float factors[fewRows];
  scoreKeys(head, call.Dh, rowsAt<T>(*call.k, block.b, block.keyHead, key), count, scores);
  for (int row = 0; row < block.count; row++) {
    if (needsFinish(call, sight)) finishRow(call, head, row, sight, key, count, scores + row * keyStep);
    factors[row] = weighRow(head, row, count, scores + row * keyStep);
  }
  mixValues(head, call.Dv, factors, rowsAt<T>(*call.v, block.b, block.keyHead, key), count, scores);
}

void prepare(const AttentionCall& call, FewHead& head, int64_t b, int64_t keyHead, float* memory) {
  head.block = groupBlock(call, b, keyHead, 0, static_cast<int>(fewRows));
  readRules(call, head.block, head.rules);
  head.queries = memory;
  head.mix = memory + VW * padded(call.Dh);
  toRows(head.block, *call.q, head.queries, padded(call.Dh));
  const float factor = queryFactor(call);
  for (int64_t i = 0; i < head.block.count * padded(call.Dh); i += VW) store(head.queries + i, load(head.queries + i) * factor);
  memset(head.mix, 0, static_cast<size_t>(fewRows * padded(call.Dv)) * sizeof(float));
  for (int row = 0; row < fewRows; row++) {
    head.peak[row] = lowestPeak;
    head.total[row] = 0;
  }
}

void giveBack(const FewHead& head, int64_t size, const Softmax& softmax) {
  clearSoftmax(softmax, size, VW);
  for (int row = 0; row < head.block.count; row++) {
    softmax.peak[row] = head.peak[row];
    softmax.total[row] = head.total[row];
    for (int64_t d = 0; d < size; d++) softmax.mix[d * softmax.stride + row] = head.mix[row * padded(size) + d];
  }
}

}  // namespace

void attendFewRows(Run& run, int worker, const AttentionCall& call, int64_t b, int64_t begin, int64_t end, float* out) {
  const int64_t perHead = VW * padded(call.Dh) + fewRows * padded(call.Dv);
  FewHead* heads = run.scratchOf<FewHead>(worker, 1, call.K);
  float* memory = run.scratchOf<float>(worker, 0, call.K * perHead);
  for (int64_t h = 0; h < call.K; h++) prepare(call, heads[h], b, h, memory + h * perHead);
  end = min(end, endOfSight(call, b, heads[0].rules));
  withFloatType(call.k->dtype, "attention", [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    // Heads stand side by side in memory: all of them, before going on along the keys.
    for (int64_t key = begin; key < end; key += keyStep)
      for (int64_t h = 0; h < call.K; h++) meetKeys<T>(call, heads[h], key, min(keyStep, end - key));
  });
  for (int64_t h = 0; h < call.K; h++) giveBack(heads[h], call.Dv, Softmax::in(out + h * Softmax::floats(call.Dv, VW), call.Dv, VW));
}

}  // namespace weft::WEFT_ISA
