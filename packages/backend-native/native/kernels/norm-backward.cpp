// Gradients of the norms in one pass over x and the gradient, four rows at a time. Gradients of weight and bias are summed per block of
// rows, then over the blocks in their order; the blocks depend on the shape alone.
#include <type_traits>

#include "norm.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int rowsAtOnce = 4;
constexpr int64_t maxBlocks = 128;

struct NormGradient {
  int64_t size;
  bool centered;
  const float* weight;
};

/** What a row's gradient is made of: its statistics, and the means over the row of g·w and g·w·normal. */
struct RowFactors {
  vf mean, rstd, along, alongNormal;
};

template <int R, class T> WEFT_INLINE void rowFactors(const NormGradient& call, const T* x, const T* gradient, const float* means, const float* rstds, RowFactors* rows) {
  vf sums[R] = {}, products[R] = {};
  for (int r = 0; r < R; r++) {
    rows[r].mean = splat(means == nullptr ? 0 : means[r]);
    rows[r].rstd = splat(rstds[r]);
  }
  const auto add = [&](int64_t i, int n) {
    const vf weight = loadAs(call.weight + i, n);
    for (int r = 0; r < R; r++) {
      const vf g = loadAs(gradient + r * call.size + i, n) * weight;  // 0 beyond the end
      sums[r] += g;
      products[r] += g * ((loadAs(x + r * call.size + i, n) - rows[r].mean) * rows[r].rstd);
    }
  };
  int64_t i = 0;
  for (; i + VW <= call.size; i += VW) add(i, VW);
  if (i < call.size) add(i, static_cast<int>(call.size - i));
  const float share = 1.0f / static_cast<float>(call.size);
  for (int r = 0; r < R; r++) {
    rows[r].along = splat(call.centered ? sumLanes(sums[r]) * share : 0);
    rows[r].alongNormal = splat(sumLanes(products[r]) * share);
  }
}

/** Writes dx, adds to the sums for weight and bias; what is null is not wanted. `direct` is added to dx. */
template <int R, class T>
WEFT_INLINE void gradientRows(const NormGradient& call, const T* x, const T* gradient, const T* direct, const float* means, const float* rstds, T* dx, float* weightSums, float* biasSums) {
  const int64_t size = call.size;
  RowFactors rows[R];
  rowFactors<R>(call, x, gradient, means, rstds, rows);
  const auto column = [&](int64_t i, int n) {
    const vf weight = loadAs(call.weight + i, n);
    vf weightSum = {}, biasSum = {};
    for (int r = 0; r < R; r++) {
      const int64_t at = r * size + i;
      const vf g = loadAs(gradient + at, n);
      const vf normal = (loadAs(x + at, n) - rows[r].mean) * rows[r].rstd;
      if (dx != nullptr) {
        vf d = (g * weight - rows[r].along - normal * rows[r].alongNormal) * rows[r].rstd;
        if (direct != nullptr) d += loadAs(direct + at, n);
        storeAs(dx + at, d, n);
      }
      weightSum += g * normal;
      biasSum += g;
    }
    if (weightSums != nullptr) storeAs(weightSums + i, loadAs(weightSums + i, n) + weightSum, n);
    if (biasSums != nullptr) storeAs(biasSums + i, loadAs(biasSums + i, n) + biasSum, n);
  };
  int64_t i = 0;
  for (; i + VW <= size; i += VW) column(i, VW);
  if (i < size) column(i, static_cast<int>(size - i));
}

/** out[i] = Σ over blocks of partial[block · stride + i], in their order. */
void sumBlocks(Run& run, const View& out, const float* partial, int64_t blocks, int64_t stride) {
  withFloatType(out.dtype, run.operation(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    run.parallelRanges(out.size, max<int64_t>(VW, (1 << 16) / max<int64_t>(1, blocks) / VW * VW), [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; i += VW) {
        const int n = static_cast<int>(min<int64_t>(VW, end - i));
        vf sum = {};
        for (int64_t block = 0; block < blocks; block++) sum += loadAs(partial + block * stride + i, n);
        storeAs(out.as<T>() + i, sum, n);
      }
    });
  });
}

struct Slots {
  int x, weight, mean, rstd, direct, gradient;  // −1: the operation has no such input
};

/** Outputs: those of dx, weight and bias that the attribute `needs` asks for. */
void normBackward(Run& run, const Slots& slots) {
  const bool centered = slots.mean >= 0;
  const View& x = run.input(slots.x);
  const View& gradient = run.input(slots.gradient);
  const auto [rows, size] = normRows(run, x);
  requireNormLike(run, "the gradient", gradient, x);
  Attributes attributes = run.attributes();
  const Attributes::List needs = attributes.list();
  const float offset = centered ? 0 : static_cast<float>(attributes.number());
  const NormGradient call{size, centered, normParameter(run, "weight", run.input(slots.weight), size, offset)};
  const float* means = centered ? normStatistic(run, run.input(slots.mean), rows) : nullptr;
  const float* rstds = normStatistic(run, run.input(slots.rstd), rows);
  const bool hasDirect = slots.direct >= 0 && run.has(slots.direct);
  if (hasDirect) requireNormLike(run, "the sum's gradient", run.input(slots.direct), x);

  int next = 0;
  const View* outputs[3] = {};
  for (int i = 0; i < (centered ? 3 : 2); i++)
    if (i < needs.count && needs[i] == 1) outputs[i] = &run.output(next++);
  if (outputs[0] != nullptr) requireNormLike(run, "the gradient of x", *outputs[0], x);
  for (int i = 1; i < 3; i++)
    if (outputs[i] != nullptr) requireNormSize(run, "a parameter's gradient", *outputs[i], size);

  int64_t blockRows = max<int64_t>(normGrain(size), ceilDiv(rows, maxBlocks));
  blockRows = ceilDiv(blockRows, rowsAtOnce) * rowsAtOnce;
  const int64_t blocks = ceilDiv(rows, blockRows);
  const bool needsSums = outputs[1] != nullptr || outputs[2] != nullptr;
  float* partial = needsSums ? run.temporaryOf<float>(blocks * 2 * size) : nullptr;

  withFloatType(x.dtype, run.operation(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    T* dx = outputs[0] == nullptr ? nullptr : outputs[0]->as<T>();
    run.parallelRanges(rows, blockRows, [&, rows = rows, size = size](int64_t begin, int64_t end, int) {
      float* weightSums = nullptr;
      float* biasSums = nullptr;
      if (needsSums) {
        float* sums = partial + begin / blockRows * 2 * size;
        memset(sums, 0, static_cast<size_t>(2 * size) * sizeof(float));
        if (outputs[1] != nullptr) weightSums = sums;
        if (outputs[2] != nullptr) biasSums = sums + size;
      }
      const auto some = [&](int64_t row, auto count) {
        const int64_t at = row * size;
        gradientRows<decltype(count)::value>(call, x.as<T>() + at, gradient.as<T>() + at, hasDirect ? run.input(slots.direct).as<T>() + at : nullptr, means == nullptr ? nullptr : means + row, rstds + row,
                                             dx == nullptr ? nullptr : dx + at, weightSums, biasSums);
      };
      int64_t row = begin;
      for (; row + rowsAtOnce <= end; row += rowsAtOnce) some(row, std::integral_constant<int, rowsAtOnce>{});
      for (; row < end; row++) some(row, std::integral_constant<int, 1>{});
    });
  });
  if (outputs[1] != nullptr) sumBlocks(run, *outputs[1], partial, blocks, 2 * size);
  if (outputs[2] != nullptr) sumBlocks(run, *outputs[2], partial + size, blocks, 2 * size);
}

void layerNormBackward(Run& run) { normBackward(run, {.x = 0, .weight = 1, .mean = 2, .rstd = 3, .direct = -1, .gradient = 4}); }
void rmsNormBackward(Run& run) { normBackward(run, {.x = 0, .weight = 1, .mean = -1, .rstd = 2, .direct = -1, .gradient = 3}); }
void addLayerNormBackward(Run& run) { normBackward(run, {.x = 1, .weight = 0, .mean = 2, .rstd = 3, .direct = 4, .gradient = 5}); }
void addRmsNormBackward(Run& run) { normBackward(run, {.x = 1, .weight = 0, .mean = -1, .rstd = 2, .direct = 3, .gradient = 4}); }

WEFT_KERNEL("layerNormBackward", layerNormBackward)
WEFT_KERNEL("rmsNormBackward", rmsNormBackward)
WEFT_KERNEL("addLayerNormBackward", addLayerNormBackward)
WEFT_KERNEL("addRmsNormBackward", addRmsNormBackward)

}  // namespace
}  // namespace weft::WEFT_ISA
