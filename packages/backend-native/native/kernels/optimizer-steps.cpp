// AdamW, Lion and SGD over all tensors of a model in one pass: each element is read and written once. bf16 values are rounded from
// their f32 masters on the way, bf16 gradients widened.
#include <cmath>

#include "optimizer-lists.h"
#include "vector-math.h"

namespace weft::WEFT_ISA {
namespace {

// 28 bytes an element for AdamW: some 20 µs a tile.
constexpr int64_t tileSize = 8192;
// What is widened or narrowed passes through a piece of first-level cache.
constexpr int64_t chunkSize = 512;

constexpr int maxStates = 2;

/** One chunk of one tensor as floats. `after` may be `before`, and the same holds for states. */
struct Chunk {
  int64_t count;
  const float* before;
  float* after;
  const float* gradient;
  const float* states[maxStates];
  float* newStates[maxStates];
};

template <class Rule> WEFT_INLINE void updateChunk(const StepLists& lists, const Rule& rule, int tensor, int64_t begin, int64_t count) {
  alignas(64) float gradientBuffer[chunkSize];
  alignas(64) float valueBuffer[chunkSize];
  const View& value = lists.newValue(tensor);
  const View& after = lists.after(tensor);
  Chunk chunk{};
  chunk.count = count;
  chunk.gradient = asFloats(lists.gradient(tensor), begin, count, gradientBuffer);
  chunk.before = asFloats(lists.before(tensor), begin, count, valueBuffer);
  chunk.after = after.dtype == DType::f32 ? after.as<float>() + begin : valueBuffer;
  for (int list = 0; list < lists.states; list++) {
    chunk.states[list] = lists.state(list, tensor).as<const float>() + begin;
    chunk.newStates[list] = lists.newState(list, tensor).as<float>() + begin;
  }
  rule(chunk);
  if (lists.hasMasters || value.dtype != DType::f32) narrowInto(value, begin, count, chunk.after);
}

template <class Rule> void updateAll(const StepLists& lists, const Rule& rule) {
  const ListTiles tiles(lists.run, 0, tileSize);
  lists.run.parallel(tiles.tiles(), [&](int64_t tile, int) {
    tiles.stretches(tile, [&](int tensor, int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end; at += chunkSize) updateChunk(lists, rule, tensor, at, min(chunkSize, end - at));
    });
  });
}

/** 1 − β^t without loss of digits where β^t is close to 1. */
double oneMinusPower(double beta, double t) { return beta == 0 ? 1 : -std::expm1(t * std::log(beta)); }

void adamWStep(Run& run) {
  const StepLists lists(run, 2);
  Attributes a = run.attributes();
  const double learningRate = a.number(), beta1 = a.number(), beta2 = a.number(), epsilon = a.number(), weightDecay = a.number();
  if (!lists.begin()) return;
  const float scale = lists.scale;
  const float toFirst = static_cast<float>(1 - beta1);
  const float toSecond = static_cast<float>(1 - beta2);
  const float keep = static_cast<float>(1 - learningRate * weightDecay);
  const float size = static_cast<float>(learningRate / oneMinusPower(beta1, lists.number));
  const float perRoot = static_cast<float>(1 / std::sqrt(oneMinusPower(beta2, lists.number)));
  const float least = static_cast<float>(epsilon);
  updateAll(lists, [=](const Chunk& c) {
    overVectors(c.count, [&](int64_t i, int n) {
      const vf gradient = loadAs(c.gradient + i, n) * scale;
      vf first = loadAs(c.states[0] + i, n);
      vf second = loadAs(c.states[1] + i, n);
      first += (gradient - first) * toFirst;
      second += (gradient * gradient - second) * toSecond;
      const vf move = first / (vsqrt(second) * perRoot + least);
      storeAs(c.after + i, loadAs(c.before + i, n) * keep - move * size, n);
      storeAs(c.newStates[0] + i, first, n);
      storeAs(c.newStates[1] + i, second, n);
    });
  });
}

void lionStep(Run& run) {
  const StepLists lists(run, 1);
  Attributes a = run.attributes();
  const double learningRate = a.number(), beta1 = a.number(), beta2 = a.number(), weightDecay = a.number();
  if (!lists.begin()) return;
  const float scale = lists.scale;
  const float old = static_cast<float>(beta1);
  const float fresh = static_cast<float>(1 - beta1);
  const float towards = static_cast<float>(1 - beta2);
  const float keep = static_cast<float>(1 - learningRate * weightDecay);
  const float size = static_cast<float>(learningRate);
  updateAll(lists, [=](const Chunk& c) {
    overVectors(c.count, [&](int64_t i, int n) {
      const vf gradient = loadAs(c.gradient + i, n) * scale;
      const vf momentum = loadAs(c.states[0] + i, n);
      const vf mixed = momentum * old + gradient * fresh;
      const vf zero = {};
      const vf step = select(mixed > zero, splat(size), select(mixed < zero, splat(-size), zero));
      storeAs(c.after + i, loadAs(c.before + i, n) * keep - step, n);
      storeAs(c.newStates[0] + i, momentum + (gradient - momentum) * towards, n);
    });
  });
}

void sgdStep(Run& run) {
  const StepLists lists(run, 1);
  Attributes a = run.attributes();
  const float size = static_cast<float>(a.number());
  const float momentum = static_cast<float>(a.number());
  const bool isNesterov = a.number() == 1;
  const float weightDecay = static_cast<float>(a.number());
  if (!lists.begin()) return;
  const float scale = lists.scale;
  const auto full = [=](const Chunk& c, int64_t i, int n, vf before) {
    const vf gradient = loadAs(c.gradient + i, n) * scale;
    return weightDecay == 0 ? gradient : gradient + before * weightDecay;
  };
  if (momentum == 0) {
    for (int i = 0; i < lists.count; i++) copyUnlessSame(run, lists.state(0, i), lists.newState(0, i));
    return updateAll(lists, [=](const Chunk& c) {
      overVectors(c.count, [&](int64_t i, int n) {
        const vf before = loadAs(c.before + i, n);
        storeAs(c.after + i, before - full(c, i, n, before) * size, n);
      });
    });
  }
  updateAll(lists, [=](const Chunk& c) {
    overVectors(c.count, [&](int64_t i, int n) {
      const vf before = loadAs(c.before + i, n);
      const vf gradient = full(c, i, n, before);
      const vf next = loadAs(c.states[0] + i, n) * momentum + gradient;
      storeAs(c.after + i, before - (isNesterov ? gradient + next * momentum : next) * size, n);
      storeAs(c.newStates[0] + i, next, n);
    });
  });
}

WEFT_KERNEL("adamWStep", adamWStep)
WEFT_KERNEL("lionStep", lionStep)
WEFT_KERNEL("sgdStep", sgdStep)

}  // namespace
}  // namespace weft::WEFT_ISA
