// Muon (Jordan et al. 2024): momentum whose direction is made orthogonal by five steps of a quintic Newton–Schulz iteration,
//   S = X·Xᵀ,  X ← 3.4445·X + (2.0315·S² − 4.775·S)·X,
// on whichever side is the smaller: for tall matrices S = Xᵀ·X and the factor stands on the right, so nothing is ever transposed.
#include <cmath>

#include "gemm.h"
#include "global-norm.h"
#include "optimizer-lists.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t grain = 8192;
constexpr int64_t chunkSize = 512;
constexpr int iterations = 5;
constexpr float linear = 3.4445f, cubic = -4.775f, quintic = 2.0315f;

struct Settings {
  float size, momentum, keep;
  bool isNesterov, matchesAdamW;
};

/** Memory for the largest matrix of the list; `side` is the smaller of rows and columns. */
struct Room {
  float* x;
  float* next;
  float* square;
  float* mixed;
  double* sums;
};

Room roomFor(const StepLists& lists) {
  int64_t most = 0, side = 0;
  for (int i = 0; i < lists.count; i++) {
    most = max(most, lists.value(i).size);
    side = max(side, min(lists.value(i).dims[0], lists.value(i).dims[1]));
  }
  Run& run = lists.run;
  return {run.temporaryOf<float>(most), run.temporaryOf<float>(most), run.temporaryOf<float>(side * side), run.temporaryOf<float>(side * side), run.temporaryOf<double>(ceilDiv(most, grain))};
}

/** Updates the momentum and writes the direction to room.x. @returns the direction's norm. */
double nextDirection(const StepLists& lists, const Settings& settings, const Room& room, int i) {
  const int64_t size = lists.value(i).size;
  const float* before = lists.state(0, i).as<const float>();
  float* after = lists.newState(0, i).as<float>();
  const float scale = lists.scale, momentum = settings.momentum, towards = 1 - settings.momentum;
  const bool isNesterov = settings.isNesterov;
  lists.run.parallelRanges(size, grain, [&, scale, momentum, towards, isNesterov](int64_t begin, int64_t end, int) {
    alignas(64) float buffer[chunkSize];
    for (int64_t at = begin; at < end; at += chunkSize) {
      const int64_t count = min(chunkSize, end - at);
      const float* gradients = asFloats(lists.gradient(i), at, count, buffer);
      overVectors(count, [&](int64_t k, int n) {
        const vf gradient = loadAs(gradients + k, n) * scale;
        const vf old = loadAs(before + at + k, n);
        const vf next = old + (gradient - old) * towards;
        storeAs(after + at + k, next, n);
        storeAs(room.x + at + k, isNesterov ? gradient + (next - gradient) * momentum : next, n);
      });
    }
    room.sums[begin / grain] = sumOfSquares(room.x + begin, end - begin);
  });
  double sum = 0;
  for (int64_t tile = 0; tile < ceilDiv(size, grain); tile++) sum += room.sums[tile];
  return std::sqrt(sum);
}

template <class F> void forVectors(Run& run, int64_t size, const F& body) {
  run.parallelRanges(size, grain, [&](int64_t begin, int64_t end, int) { overVectors(end - begin, [&](int64_t i, int n) { body(begin + i, n); }); });
}

MatrixRef rowMajor(const float* x, int64_t columns) { return {x, DType::f32, columns, 1}; }
MatrixRef transposed(const float* x, int64_t columns) { return {x, DType::f32, 1, columns}; }

void product(Run& run, int64_t m, int64_t n, int64_t k, const MatrixRef& a, const MatrixRef& b, float* c) {
  Gemm call{};
  call.m = m;
  call.n = n;
  call.k = k;
  call.a = a;
  call.b = b;
  call.c = c;
  call.cStride = n;
  gemm(run, call);
}

/** Iterates room.x, which has norm 1. @returns where the result lies. */
const float* orthogonalized(Run& run, const Room& room, int64_t rows, int64_t columns) {
  const bool isTall = rows > columns;
  const int64_t side = min(rows, columns);
  float* x = room.x;
  float* next = room.next;
  for (int step = 0; step < iterations; step++) {
    if (isTall) product(run, side, side, rows, transposed(x, columns), rowMajor(x, columns), room.square);
    else product(run, side, side, columns, rowMajor(x, columns), transposed(x, columns), room.square);
    product(run, side, side, side, rowMajor(room.square, side), rowMajor(room.square, side), room.mixed);
    forVectors(run, side * side, [&](int64_t i, int n) { storeAs(room.mixed + i, loadAs(room.square + i, n) * cubic + loadAs(room.mixed + i, n) * quintic, n); });
    for (int64_t i = 0; i < side; i++) room.mixed[i * side + i] += linear;
    if (isTall) product(run, rows, columns, side, rowMajor(x, columns), rowMajor(room.mixed, side), next);
    else product(run, rows, columns, side, rowMajor(room.mixed, side), rowMajor(x, columns), next);
    float* const spent = x;
    x = next;
    next = spent;
  }
  return x;
}

void updateMatrix(const StepLists& lists, const Settings& settings, const Room& room, int i) {
  Run& run = lists.run;
  const int64_t rows = lists.value(i).dims[0], columns = lists.value(i).dims[1];
  if (rows == 0 || columns == 0) return;
  const float perNorm = static_cast<float>(1 / max(nextDirection(lists, settings, room, i), 1e-7));
  forVectors(run, rows * columns, [&](int64_t k, int n) { storeAs(room.x + k, loadAs(room.x + k, n) * perNorm, n); });
  const float* direction = orthogonalized(run, room, rows, columns);
  const double ratio = static_cast<double>(rows) / static_cast<double>(columns);
  const float size = settings.size * static_cast<float>(settings.matchesAdamW ? 0.2 * std::sqrt(static_cast<double>(max(rows, columns))) : std::sqrt(max(1.0, ratio)));
  const View& value = lists.newValue(i);
  run.parallelRanges(rows * columns, grain, [&](int64_t begin, int64_t end, int) {
    alignas(64) float buffer[chunkSize];
    for (int64_t at = begin; at < end; at += chunkSize) {
      const int64_t count = min(chunkSize, end - at);
      const float* before = asFloats(lists.before(i), at, count, buffer);
      const View& target = lists.after(i);
      float* after = target.dtype == DType::f32 ? target.as<float>() + at : buffer;
      overVectors(count, [&](int64_t k, int n) { storeAs(after + k, loadAs(before + k, n) * settings.keep - loadAs(direction + at + k, n) * size, n); });
      if (lists.hasMasters || value.dtype != DType::f32) narrowInto(value, at, count, after);
    }
  });
}

void muonStep(Run& run) {
  const StepLists lists(run, 1);
  Attributes a = run.attributes();
  const double learningRate = a.number(), momentum = a.number();
  const bool isNesterov = a.number() == 1;
  const double weightDecay = a.number();
  const bool matchesAdamW = a.number() == 1;
  for (int i = 0; i < lists.count; i++)
    if (lists.value(i).rank != 2) fail("muonStep: expected matrices, got rank %d", lists.value(i).rank);
  if (!lists.begin()) return;
  const Settings settings{static_cast<float>(learningRate), static_cast<float>(momentum), static_cast<float>(1 - learningRate * weightDecay), isNesterov, matchesAdamW};
  const Room room = roomFor(lists);
  for (int i = 0; i < lists.count; i++) updateMatrix(lists, settings, room, i);
}

WEFT_KERNEL("muonStep", muonStep)

}  // namespace
}  // namespace weft::WEFT_ISA
