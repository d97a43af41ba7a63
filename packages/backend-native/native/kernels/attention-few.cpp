#include "attention-few.h"

#include <type_traits>

#include "attention-math.h"
#include "attention-scores.h"
#include "attention-softmax.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t keyStep = 64;

int64_t padded(int64_t size) { return ceilDiv(size, VW) * VW; }

/** What one key head keeps between pieces of keys. */
struct FewHead {
  LaneBlock block;
  LaneRules rules;
  float* queries;  // [rows][padded Dh]
  float* mix;      // [rows][padded Dv]
  Softmax softmax;
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

/** Products of R queries with up to VW keys: products[r] has a key in each lane. */
template <class T, int R> WEFT_INLINE void dots(const float* queries, int64_t size, Rows<T> keys, int count, vf* products) {
  const int64_t stride = padded(size);
  const int64_t whole = size / VW * VW;
  const int rest = static_cast<int>(size - whole);
  vf sums[R][VW];
  for (int i = 0; i < VW; i++) {
    vf sum[R] = {};
    if (i < count) {
      const T* key = keys.data + i * keys.stride;
      for (int64_t d = 0; d < whole; d += VW) {
        const vf x = loadAs(key + d, VW);
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) sum[r] = multiplyAdd(x, load(queries + r * stride + d), sum[r]);
      }
      if (rest > 0) {
        const vf x = loadAs(key + whole, rest);
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) sum[r] = multiplyAdd(x, load(queries + r * stride + whole), sum[r]);
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) sums[r][i] = sum[r];
  }
#pragma GCC unroll 4
  for (int r = 0; r < R; r++) products[r] = sumsOfLanes(sums[r]);
}

/** scores [count][VW], a query a lane. */
template <class T> void scoreKeys(const FewHead& head, int64_t size, Rows<T> keys, int64_t count, float* scores) {
  const int rows = head.block.count;
  const int64_t stride = padded(size);
  for (int64_t j = 0; j < count; j += VW) {
    const int n = static_cast<int>(min<int64_t>(VW, count - j));
    const Rows<T> some{keys.data + j * keys.stride, keys.stride};
    vf square[VW] = {};
    int r = 0;
    for (; r + 4 <= rows; r += 4) dots<T, 4>(head.queries + r * stride, size, some, n, square + r);
    for (; r + 2 <= rows; r += 2) dots<T, 2>(head.queries + r * stride, size, some, n, square + r);
    if (r < rows) dots<T, 1>(head.queries + r * stride, size, some, n, square + r);
    transpose(square);
    for (int i = 0; i < n; i++) store(scores + (j + i) * VW, square[i]);
  }
}

/** mix[r][d …] = mix · factor + Σ weight · value, for R queries and V vectors, of which the last has `last` elements. */
template <class T, int R, int V> WEFT_INLINE void mixTile(float* mix, int64_t mixStride, const float* factors, Rows<T> values, int64_t count, const float* weights, int last) {
  vf sums[R][V];
#pragma GCC unroll 4
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) sums[r][v] = load(mix + r * mixStride + v * VW) * factors[r];
  const T* value = values.data;
  for (int64_t j = 0; j < count; j++, value += values.stride, weights += VW) {
    vf x[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) x[v] = loadAs(value + v * VW, v + 1 == V ? last : VW);
#pragma GCC unroll 4
    for (int r = 0; r < R; r++)
#pragma GCC unroll 4
      for (int v = 0; v < V; v++) sums[r][v] = multiplyAdd(splat(weights[r]), x[v], sums[r][v]);
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
  for (; r + 4 <= rows; r += 4) mixRows<T, 4>(head.mix + r * stride, size, factors + r, values, count, weights + r);
  for (; r + 2 <= rows; r += 2) mixRows<T, 2>(head.mix + r * stride, size, factors + r, values, count, weights + r);
  if (r < rows) mixRows<T, 1>(head.mix + r * stride, size, factors + r, values, count, weights + r);
}

template <class T> void meetKeys(const AttentionCall& call, FewHead& head, int64_t key, int64_t count, float* scores) {
  const LaneBlock& block = head.block;
  const Sight sight = sightOf(call, block.b, head.rules, key, count);
  if (sight == Sight::none) return;
  alignas(64) float factors[VW];
  scoreKeys(head, call.Dh, rowsAt<T>(*call.k, block.b, block.keyHead, key), count, scores);
  if (needsFinish(call, sight)) finishScores(call, block, head.rules, sight, key, count, scores, VW, nullptr);
  weigh(head.softmax, VW, count, scores, VW, factors);
  mixValues(head, call.Dv, factors, rowsAt<T>(*call.v, block.b, block.keyHead, key), count, scores);
}

void prepare(const AttentionCall& call, FewHead& head, int64_t b, int64_t keyHead, float* memory, const Softmax& softmax) {
  head.block = groupBlock(call, b, keyHead, 0, VW);
  readRules(call, head.block, head.rules);
  head.queries = memory;
  head.mix = memory + VW * padded(call.Dh);
  head.softmax = softmax;
  toRows(head.block, *call.q, head.queries, padded(call.Dh));
  const float factor = queryFactor(call);
  for (int64_t i = 0; i < VW * padded(call.Dh); i += VW) store(head.queries + i, load(head.queries + i) * factor);
  memset(head.mix, 0, static_cast<size_t>(fewRows * padded(call.Dv)) * sizeof(float));
  clearSoftmax(softmax, call.Dv, VW);
}

void giveBack(const FewHead& head, int64_t size) {
  for (int r = 0; r < head.block.count; r++)
    for (int64_t d = 0; d < size; d++) head.softmax.mix[d * VW + r] = head.mix[r * padded(size) + d];
}

}  // namespace

void attendFewRows(Run& run, int worker, const AttentionCall& call, int64_t b, int64_t begin, int64_t end, float* out) {
  const int64_t perHead = VW * padded(call.Dh) + fewRows * padded(call.Dv);
  FewHead* heads = run.scratchOf<FewHead>(worker, 1, call.K);
  float* memory = run.scratchOf<float>(worker, 0, call.K * perHead + keyStep * VW);
  float* scores = memory + call.K * perHead;
  for (int64_t h = 0; h < call.K; h++) prepare(call, heads[h], b, h, memory + h * perHead, Softmax::in(out + h * Softmax::floats(call.Dv, VW), call.Dv, VW));
  end = min(end, endOfSight(call, b, heads[0].rules));
  withFloatType(call.k->dtype, "attention", [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    // Heads stand side by side in memory: all of them, before going on along the keys.
    for (int64_t key = begin; key < end; key += keyStep)
      for (int64_t h = 0; h < call.K; h++) meetKeys<T>(call, heads[h], key, min(keyStep, end - key), scores);
  });
  for (int64_t h = 0; h < call.K; h++) giveBack(heads[h], call.Dv);
}

}  // namespace weft::WEFT_ISA
