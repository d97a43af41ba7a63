// layerNorm and rmsNorm, alone and with the residual addition before them: each row is read from memory once, and once more or twice
// from the first-level cache. The mean comes first and then the squared distances from it, so that values far from 0 lose nothing.
#include <cmath>
#include <type_traits>

#include "norm.h"

namespace weft::WEFT_ISA {
namespace {

/** Σ f(x[i]) with four running sums; f of the lanes beyond the end does not count. */
template <class T, class F> WEFT_INLINE float rowSum(const T* x, int64_t size, const F& f) {
  vf s0 = {}, s1 = {}, s2 = {}, s3 = {};
  int64_t i = 0;
  for (; i + 4 * VW <= size; i += 4 * VW) {
    s0 += f(loadAs(x + i, VW));
    s1 += f(loadAs(x + i + VW, VW));
    s2 += f(loadAs(x + i + 2 * VW, VW));
    s3 += f(loadAs(x + i + 3 * VW, VW));
  }
  for (; i + VW <= size; i += VW) s0 += f(loadAs(x + i, VW));
  if (i < size) {
    const int n = static_cast<int>(size - i);
    s1 += select(firstLanes(n), f(loadAs(x + i, n)), vf{});
  }
  return sumLanes((s0 + s1) + (s2 + s3));
}

struct NormCall {
  int64_t size;
  bool centered;
  float epsilon;
  const float* weight;
  const float* bias;  // may be null
};

template <class T> void normRow(const NormCall& call, const T* x, T* out, float& mean, float& rstd) {
  const int64_t size = call.size;
  const float share = 1.0f / static_cast<float>(size);
  mean = call.centered ? rowSum(x, size, [](vf v) { return v; }) * share : 0;
  const vf center = splat(mean);
  rstd = 1 / std::sqrt(rowSum(x, size, [&](vf v) { return (v - center) * (v - center); }) * share + call.epsilon);
  const vf factor = splat(rstd);
  const auto finish = [&](int64_t i, int n) {
    vf y = (loadAs(x + i, n) - center) * factor * loadAs(call.weight + i, n);
    if (call.bias != nullptr) y += loadAs(call.bias + i, n);
    storeAs(out + i, y, n);
  };
  int64_t i = 0;
  for (; i + VW <= size; i += VW) finish(i, VW);
  if (i < size) finish(i, static_cast<int>(size - i));
}

/** sum = x + residual, rounded to T. */
template <class T> void addRow(const T* x, const T* residual, T* sum, int64_t size) {
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
    run.parallelRanges(rows, normGrain(size), [&, size = size](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t start = row * size;
        const T* from = x.as<T>() + start;
        if (added) {
          T* sum = run.output(0).as<T>() + start;
          addRow(from, run.input(1).as<T>() + start, sum, size);
          from = sum;
        }
        float mean, rstd;
        normRow(call, from, out.as<T>() + start, mean, rstd);
        if (means != nullptr) means[row] = mean;
        if (rstds != nullptr) rstds[row] = rstd;
      }
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
