// layerNorm and rmsNorm, alone and with the residual addition before them: each row is read from memory once, and once more or twice
// from the first-level cache. The mean comes first and then the squared distances from it, so that values far from 0 lose nothing.
#include <cmath>
#include <type_traits>

#include "norm.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int rowsAtOnce = 4;

/** sums[r] = Σ (x[r · size + i] − center[r]), or of its square, with two running sums a row. */
template <bool squared, int R, class T> WEFT_INLINE void rowSums(const T* x, int64_t size, const vf* center, float* sums) {
  vf even[R] = {}, odd[R] = {};
  const auto plus = [](vf sum, vf distance) { return squared ? multiplyAdd(distance, distance, sum) : sum + distance; };
  int64_t i = 0;
  for (; i + 2 * VW <= size; i += 2 * VW)
    for (int r = 0; r < R; r++) {
      even[r] = plus(even[r], loadAs(x + r * size + i, VW) - center[r]);
      odd[r] = plus(odd[r], loadAs(x + r * size + i + VW, VW) - center[r]);
    }
  for (; i < size; i += VW) {
    const int n = static_cast<int>(min<int64_t>(VW, size - i));
    const vi isThere = firstLanes(n);
    for (int r = 0; r < R; r++) even[r] = plus(even[r], select(isThere, loadAs(x + r * size + i, n) - center[r], vf{}));
  }
  for (int r = 0; r < R; r++) sums[r] = sumLanes(even[r] + odd[r]);
}

struct NormCall {
  int64_t size;
  bool centered;
  float epsilon;
  const float* weight;
  const float* bias;  // may be null
};

/** R rows: while one waits for its statistics, the others go on. */
template <int R, class T> WEFT_INLINE void normalize(const NormCall& call, const T* x, T* out, float* means, float* rstds) {
  const int64_t size = call.size;
  const float share = 1.0f / static_cast<float>(size);
  float mean[R] = {}, rstd[R];
  vf center[R] = {}, factor[R];
  if (call.centered) rowSums<false, R>(x, size, center, mean);
  for (int r = 0; r < R; r++) {
    mean[r] *= share;
    center[r] = splat(mean[r]);
  }
  rowSums<true, R>(x, size, center, rstd);
  for (int r = 0; r < R; r++) {
    rstd[r] = 1 / std::sqrt(rstd[r] * share + call.epsilon);
    factor[r] = splat(rstd[r]);
    if (means != nullptr) means[r] = mean[r];
    if (rstds != nullptr) rstds[r] = rstd[r];
  }
  const auto finish = [&](int64_t i, int n) {
    const vf weight = loadAs(call.weight + i, n);
    const vf bias = call.bias == nullptr ? vf{} : loadAs(call.bias + i, n);
    for (int r = 0; r < R; r++) {
      const vf normal = (loadAs(x + r * size + i, n) - center[r]) * factor[r];
      storeAs(out + r * size + i, multiplyAdd(normal, weight, bias), n);
    }
  };
  int64_t i = 0;
  for (; i + VW <= size; i += VW) finish(i, VW);
  if (i < size) finish(i, static_cast<int>(size - i));
}

/** sum = x + residual, rounded to T; any number of rows. */
template <class T> void addRows(const T* x, const T* residual, T* sum, int64_t size) {
  int64_t i = 0;
  for (; i + VW <= size; i += VW) storeAs(sum + i, loadAs(x + i, VW) + loadAs(residual + i, VW), VW);
  if (i < size) {
    const int n = static_cast<int>(size - i);
    storeAs(sum + i, loadAs(x + i, n) + loadAs(residual + i, n), n);
  }
}

/** Inputs: x, residual where `added`, weight, bias where `centered`. Outputs: the sum where `added`, the normed rows, statistics. */
void norm(Run& run, bool centered, bool added) {
  const View& x = run.input(0);
  const auto [rows, size] = normRows(run, x);
  Attributes attributes = run.attributes();
  NormCall call{size, centered, static_cast<float>(attributes.number()), nullptr, nullptr};
  const float offset = centered ? 0 : static_cast<float>(attributes.number());
  const int weightSlot = added ? 2 : 1;
  call.weight = normParameter(run, "weight", run.input(weightSlot), size, offset);
  if (centered && run.has(weightSlot + 1)) call.bias = normParameter(run, "bias", run.input(weightSlot + 1), size, 0);

  const int normedOutput = added ? 1 : 0;
  const View& out = run.output(normedOutput);
  requireNormLike(run, "the output", out, x);
  if (added) {
    requireNormLike(run, "residual", run.input(1), x);
    requireNormLike(run, "the sum", run.output(0), x);
  }
  const bool recording = run.outputs() > normedOutput + 1;
  float* means = recording && centered ? normStatistic(run, run.output(normedOutput + 1), rows) : nullptr;
  float* rstds = recording ? normStatistic(run, run.output(normedOutput + (centered ? 2 : 1)), rows) : nullptr;

  withFloatType(x.dtype, run.operation(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto some = [&, size = size](int64_t row, auto count) {
      constexpr int R = decltype(count)::value;
      const int64_t start = row * size;
      const T* from = x.as<T>() + start;
      if (added) {
        T* sum = run.output(0).as<T>() + start;
        addRows(from, run.input(1).as<T>() + start, sum, R * size);
        from = sum;
      }
      normalize<R>(call, from, out.as<T>() + start, means == nullptr ? nullptr : means + row, rstds == nullptr ? nullptr : rstds + row);
    };
    run.parallelRanges(rows, normGrain(size), [&](int64_t begin, int64_t end, int) {
      int64_t row = begin;
      for (; row + rowsAtOnce <= end; row += rowsAtOnce) some(row, std::integral_constant<int, rowsAtOnce>{});
      for (; row < end; row++) some(row, std::integral_constant<int, 1>{});
    });
  });
}

void layerNorm(Run& run) { norm(run, true, false); }
void rmsNorm(Run& run) { norm(run, false, false); }
void addLayerNorm(Run& run) { norm(run, true, true); }
void addRmsNorm(Run& run) { norm(run, false, true); }

WEFT_KERNEL("layerNorm", layerNorm)
WEFT_KERNEL("rmsNorm", rmsNorm)
WEFT_KERNEL("addLayerNorm", addLayerNorm)
WEFT_KERNEL("addRmsNorm", addRmsNorm)

}  // namespace
}  // namespace weft::WEFT_ISA
