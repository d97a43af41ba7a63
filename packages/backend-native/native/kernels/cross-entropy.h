// Cross entropy of one row of logits, seen a piece at a time: the running log-sum-exp, the loss, and the gradient of a piece.
#pragma once
#include <cmath>

#include "vector-math.h"

namespace weft::WEFT_ISA {

/**
 * Logits are summed in blocks of this many, counted from class 0, each below its own maximum: however a row is cut, cuts at multiples of
 * it give the same bits.
 */
constexpr int64_t lossBlock = 1024;

struct LossOptions {
  int64_t ignoreIndex;
  double smoothing, zLoss;
};

WEFT_INLINE LossOptions lossOptions(Attributes& attributes) {
  LossOptions options;
  options.ignoreIndex = attributes.integer();
  options.smoothing = attributes.number();
  options.zLoss = attributes.number();
  return options;
}

/** What is known of a row after some of its logits. */
struct RowLoss {
  float highest = -INFINITY, target = NAN;
  double powers = 0;  // Σ e^(z − highest)
  double logits = 0;  // Σ z
};

/** e^x of a scalar by the function that vectors use. */
WEFT_INLINE float expOf(float x) { return vexp(splat(x))[0]; }

/** At most lossBlock logits. */
template <class T> WEFT_INLINE void addLossBlock(RowLoss& row, const T* z, int64_t size) {
  vf highest0 = splat(-INFINITY), highest1 = highest0, sum0 = {}, sum1 = {};
  int64_t i = 0;
  for (; i + 2 * VW <= size; i += 2 * VW) {
    const vf a = loadAs(z + i, VW), b = loadAs(z + i + VW, VW);
    highest0 = vmax(a, highest0);  // a NaN is lost here and comes out of the sums
    highest1 = vmax(b, highest1);
    sum0 += a;
    sum1 += b;
  }
  const int64_t rest = i;
  for (; i < size; i += VW) {
    const int n = static_cast<int>(min<int64_t>(VW, size - i));
    const vf a = loadAs(z + i, n);
    sum0 += a;
    for (int lane = 0; lane < n; lane++) highest0[lane] = max(highest0[lane], a[lane]);
  }
  const float highest = max(max(row.highest, maxLanes(highest0)), maxLanes(highest1));
  const vf base = splat(highest == -INFINITY ? 0 : highest);
  vf powers0 = {}, powers1 = {};
  for (i = 0; i < rest; i += 2 * VW) {
    powers0 += vexp(loadAs(z + i, VW) - base);
    powers1 += vexp(loadAs(z + i + VW, VW) - base);
  }
  for (; i < size; i += VW) {
    const int n = static_cast<int>(min<int64_t>(VW, size - i));
    const vf e = vexp(loadAs(z + i, n) - base);
    for (int lane = 0; lane < n; lane++) powers0[lane] += e[lane];
  }
  const double before = row.powers == 0 ? 0 : row.powers * expOf(row.highest - highest);
  row.powers = before + sumLanes(powers0 + powers1);
  row.logits += sumLanes(sum0 + sum1);
  row.highest = highest;
}

/** Logits start … start + size of a row, start a multiple of lossBlock; `size` is one too, unless they are the last. */
template <class T> WEFT_INLINE void addLogits(RowLoss& row, const T* z, int64_t size) {
  for (int64_t i = 0; i < size; i += lossBlock) addLossBlock(row, z + i, min(lossBlock, size - i));
}

WEFT_INLINE float logSumExpOf(const RowLoss& row) { return static_cast<float>(static_cast<double>(row.highest) + std::log(row.powers)); }

/** The loss of a row that counts. NaN where the target is no class: it has no logit. */
WEFT_INLINE float lossOf(const LossOptions& options, const RowLoss& row, float logSumExp, int64_t classes) {
  double loss = static_cast<double>(logSumExp) - row.target;
  if (options.smoothing > 0) loss = (1 - options.smoothing) * loss + options.smoothing * (logSumExp - row.logits / static_cast<double>(classes));
  if (options.zLoss > 0) loss += options.zLoss * logSumExp * logSumExp;
  return static_cast<float>(loss);
}

/** What a row that does not count has instead of a log-sum-exp: every probability of it is 0. */
constexpr float noLogSumExp = 1e30f;

/** d loss / d logit = e^(z − logSumExp) · spread − share, and `atTarget` more at the target. */
struct RowGradient {
  float logSumExp, spread, share, atTarget;
};

WEFT_INLINE RowGradient rowGradient(const LossOptions& options, int32_t target, int64_t classes, float logSumExp, float gradient) {
  const float weight = target >= 0 && target < classes ? gradient : NAN;
  return {logSumExp, static_cast<float>(weight * (1 + 2 * options.zLoss * logSumExp)), static_cast<float>(weight * options.smoothing / static_cast<double>(classes)),
          static_cast<float>(weight * (options.smoothing - 1))};
}

WEFT_INLINE vf logitGradient(const RowGradient& row, vf z) { return vexp(z - row.logSumExp) * row.spread - row.share; }

}  // namespace weft::WEFT_ISA
