// sampleToken: bias, mask, repetition penalty, temperature, top k, top p, min p and the draw, one row at a time, in a few passes over a
// row that stays in the cache. Cut-offs are exact thresholds (row-search.h): ties with the last one kept stay in.
#include "row-search.h"
#include "vector-math.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t drawBlock = 512;

struct Settings {
  float temperature;
  int64_t topK;
  double topP, minP;
  float penalty;
};

struct Row {
  const void* raw;
  const float* bias;
  const uint8_t* mask;
  const int32_t* history;
  int64_t historyLength;
  int64_t size;
  float uniform;
};

WEFT_INLINE bool isAllowed(const uint8_t* mask, int64_t token) { return (mask[token >> 3] >> (token & 7) & 1) != 0; }

/** logits → z: everything up to the temperature, for one token or a vector of them. */
template <class T> struct Adjust {
  const T* raw;
  const float* bias;
  const uint8_t* mask;
  float penalty, share, scale;

  WEFT_INLINE vf before(int64_t i, int n) const {
    vf x = loadAs(raw + i, n);
    if (bias != nullptr) x += loadAs(bias + i, n);
    if (mask != nullptr)
      for (int k = 0; k < n; k++)
        if (!isAllowed(mask, i + k)) x[k] = -INFINITY;
    return x;
  }
  WEFT_INLINE vf plain(int64_t i, int n) const { return before(i, n) * scale; }
  /** Of a token that has been seen. */
  WEFT_INLINE float penalized(int64_t token) const {
    const float x = before(token, 1)[0];
    return (x < 0 ? x * penalty : x * share) * scale;
  }
};

/** Sums of w in blocks; their total. */
double sumBlocks(const float* w, int64_t n, double* sums) {
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += drawBlock) {
    const int64_t end = min(begin + drawBlock, n);
    vf a = {};
    int64_t i = begin;
    for (; i + VW <= end; i += VW) a += load(w + i);
    if (i < end) a += loadPart(w + i, static_cast<int>(end - i));
    total += sums[begin / drawBlock] = static_cast<double>(sumLanes(a));
  }
  return total;
}

/** The first token of weight above 0 at which the running sum passes the goal; the last one with a weight where none does. */
int64_t draw(const float* w, int64_t n, const double* sums, double goal) {
  double running = 0;
  int64_t block = 0;
  const int64_t blocks = ceilDiv(n, drawBlock);
  while (block + 1 < blocks && !(running + sums[block] > goal)) running += sums[block++];
  for (int64_t i = block * drawBlock; i < n; i++) {
    running += static_cast<double>(w[i]);
    if (w[i] > 0 && running > goal) return i;
  }
  for (int64_t i = n - 1; i > 0; i--)
    if (w[i] > 0) return i;
  return 0;
}

/** w = exp(z − high) where z ≥ cut, else 0. */
void weigh(const float* z, int64_t n, float high, float cut, float* w) {
  const vf top = splat(high), limit = splat(cut);
  for (int64_t i = 0; i < n; i += VW) {
    const int count = static_cast<int>(min<int64_t>(VW, n - i));
    const vf x = loadAs(z + i, count);
    const vi isKept = x >= limit;
    storeAs(w + i, anyOf(isKept) ? select(isKept, vexp(x - top), vf{}) : vf{}, count);
  }
}

void dropBelow(float* w, const float* z, int64_t n, float cutW, float cutZ) {
  for (int64_t i = 0; i < n; i += VW) {
    const int count = static_cast<int>(min<int64_t>(VW, n - i));
    const vf x = loadAs(w + i, count);
    storeAs(w + i, select((x >= splat(cutW)) & (loadAs(z + i, count) >= splat(cutZ)), x, vf{}), count);
  }
}

template <class T> double sumOfPowers(const T* x, int64_t n, float high) {
  WideSum total;
  int64_t i = 0;
  for (; i + 2 * VW <= n; i += 2 * VW) total.add(vexp(loadAs(x + i, VW) - splat(high)) + vexp(loadAs(x + i + VW, VW) - splat(high)));
  for (; i < n; i += VW) {
    const int count = static_cast<int>(min<int64_t>(VW, n - i));
    vf power = vexp(loadAs(x + i, count) - splat(high));
    for (int k = count; k < VW; k++) power[k] = 0;
    total.add(power);
  }
  return total.total();
}

/** Draws from z, whose maximum is `high`, a number. `w` and `work` have room for a row, `sums` for a number a block. */
int64_t drawFiltered(const Settings& settings, const float* z, int64_t n, float high, float uniform, float* w, float* work, double* sums) {
  float cut = -INFINITY;
  if (settings.topK > 0 && settings.topK < n) cut = thresholdOf<false>(z, n, -1e30f, floatAt(orderOf(high) + 1), static_cast<double>(n - settings.topK) + 0.5, high - 8.0f, work);
  weigh(z, n, high, cut, w);
  double total = sumBlocks(w, n, sums);
  const bool hasTopP = settings.topP < 1, hasMinP = settings.minP > 0;
  if (hasTopP || hasMinP) {
    const double budget = (1 - settings.topP) * total;
    // Weights below budget / n can never make up the budget: most of a row goes at the first look.
    const float cutW = hasTopP ? thresholdOf<true>(w, n, 0.0f, 1.0f, budget, static_cast<float>(budget / static_cast<double>(n)), work) : 0.0f;
    const float cutZ = hasMinP ? high + static_cast<float>(::log(settings.minP)) : -INFINITY;
    dropBelow(w, z, n, cutW, cutZ);
    total = sumBlocks(w, n, sums);
  }
  return draw(w, n, sums, total * static_cast<double>(uniform));
}

template <class T> void sampleRow(const Settings& settings, const Row& row, float* z, float* w, float* work, double* sums, int32_t* token, float* logProb) {
  const auto* raw = static_cast<const T*>(row.raw);
  const int64_t n = row.size;
  const float scale = settings.temperature == 0 ? 1.0f : static_cast<float>(1.0 / static_cast<double>(settings.temperature));
  const Adjust<T> adjust{raw, row.bias, row.mask, settings.penalty, static_cast<float>(1.0 / static_cast<double>(settings.penalty)), scale};
  for (int64_t i = 0; i < n; i += VW) {
    const int count = static_cast<int>(min<int64_t>(VW, n - i));
    storeAs(z + i, adjust.plain(i, count), count);
  }
  if (row.history != nullptr && settings.penalty != 1) {
    for (int64_t k = 0; k < row.historyLength; k++)
      if (row.history[k] >= 0 && row.history[k] < n) z[row.history[k]] = adjust.penalized(row.history[k]);
  }
  const RowMax best = rowMaxOf(z, n);
  int64_t chosen = 0;
  if (settings.temperature == 0) chosen = best.hasNaN ? n - 1 : firstEqual(z, n, best.value);
  else if (!best.hasNaN && best.value - best.value == 0) chosen = drawFiltered(settings, z, n, best.value, row.uniform, w, work, sums);
  const float high = rowMaxOf(raw, n).value;
  const float value = loadAs(raw + chosen, 1)[0];
  *token = static_cast<int32_t>(chosen);
  *logProb = (value - high) - static_cast<float>(::log(sumOfPowers(raw, n, high)));
}

/** Row `row` of an input [B|1, columns]. */
template <class T> const T* rowOf(const View& x, int64_t row, int64_t columns) { return x.as<T>() + (x.dims[0] == 1 ? 0 : row) * columns; }

void sampleToken(Run& run) {
  const View& logits = run.input(0);
  const View& uniforms = run.input(4);
  Attributes attributes = run.attributes();
  Settings settings;
  settings.temperature = static_cast<float>(attributes.number());
  const auto orElse = [](double value, double other) { return value != value ? other : value; };
  settings.topK = static_cast<int64_t>(max(0.0, min(orElse(attributes.number(), 0), 4e9)));
  settings.topP = orElse(attributes.number(), 1);
  settings.minP = orElse(attributes.number(), 0);
  settings.penalty = static_cast<float>(orElse(attributes.number(), 1));
  if (logits.rank != 2 || uniforms.dtype != DType::f32) fail("sampleToken: expected logits [B, V] and uniforms in f32");
  const int64_t rows = logits.dims[0], columns = logits.dims[1], maskBytes = ceilDiv(columns, 32) * 4;
  if (columns < 1 || columns > INT32_MAX || uniforms.size != rows) fail("sampleToken: expected a vocabulary and a uniform a row");
  const auto check = [&](int slot, DType dtype, int64_t width, bool maybeOne) {
    if (!run.has(slot)) return;
    const View& x = run.input(slot);
    if (x.rank != 2 || x.dtype != dtype || (width >= 0 && x.dims[1] != width) || !(x.dims[0] == rows || (maybeOne && x.dims[0] == 1))) fail("sampleToken: input %d has another shape or dtype", slot);
  };
  check(1, DType::f32, columns, true);
  check(2, DType::u8, maskBytes, true);
  check(3, DType::i32, -1, false);
  if (run.output(0).size != rows || run.output(1).size != rows || run.output(0).dtype != DType::i32 || run.output(1).dtype != DType::f32) fail("sampleToken: expected outputs [B]");
  withFloatType(logits.dtype, "sampleToken", [&](auto* type) {
    using T = Pointee<decltype(type)>;
    run.parallel(rows, [&](int64_t r, int worker) {
      Row row{};
      row.raw = logits.as<T>() + r * columns;
      if (run.has(1)) row.bias = rowOf<float>(run.input(1), r, columns);
      if (run.has(2)) row.mask = rowOf<uint8_t>(run.input(2), r, maskBytes);
      if (run.has(3)) {
        row.historyLength = run.input(3).dims[1];
        row.history = rowOf<int32_t>(run.input(3), r, row.historyLength);
      }
      row.size = columns;
      row.uniform = uniforms.as<float>()[r];
      sampleRow<T>(settings, row, run.scratchOf<float>(worker, 0, columns), run.scratchOf<float>(worker, 1, columns), run.scratchOf<float>(worker, 2, columns),
                   run.scratchOf<double>(worker, 3, ceilDiv(columns, drawBlock)), run.output(0).as<int32_t>() + r, run.output(1).as<float>() + r);
    });
  });
}

WEFT_KERNEL("sampleToken", sampleToken)

}  // namespace
}  // namespace weft::WEFT_ISA
