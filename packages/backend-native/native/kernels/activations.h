// The non-linearities of feed-forward layers on vectors: values and slopes.
#pragma once
#include "vector-math.h"

namespace weft::WEFT_ISA {

/** Φ(x) of the normal distribution, and e^(−x²/2). */
struct Normal {
  vf cdf, bell;
};

/**
 * Φ from the upper tail: 1 − Φ(|x|) = e^(−x²/2) · t · P(t) with t = 1 / (1 + 0.27 |x|), P minimax for the relative error over all x (2.4e-8;
 * with rounding Φ is good to 2e-7). One exponential serves Φ and the density.
 */
WEFT_INLINE Normal normalOf(vf x) {
  const vf distance = floatsOf(bitsOf(x) & 0x7fffffff);
  const vf t = 1.0f / (distance * 0.27f + 1.0f);
  vf p = splat(0.028961103409528732f);
  p = p * t - 0.12648586928844452f;
  p = p * t + 0.16978618502616882f;
  p = p * t - 0.06921078264713287f;
  p = p * t + 0.1078256368637085f;
  p = p * t + 0.07204961031675339f;
  p = p * t + 0.10181061178445816f;
  p = p * t + 0.10754287242889404f;
  p = p * t + 0.10772065818309784f;
  const vf bell = vexp(distance * distance * -0.5f);
  const vf tail = bell * (p * t);
  return {select(x < 0, tail, 1.0f - tail), bell};
}

WEFT_INLINE vf sigmoidOf(vf x) { return 1.0f / (vexp(-x) + 1.0f); }

/** Value and slope at one place. */
struct ValueAndSlope {
  vf value, slope;
};

struct GeluExact {
  static WEFT_INLINE vf value(vf x) { return x * normalOf(x).cdf; }
  static WEFT_INLINE ValueAndSlope slope(vf x) {
    const Normal normal = normalOf(x);
    return {x * normal.cdf, normal.cdf + x * (normal.bell * 0.39894228040143268f)};
  }
};

/** ½ (1 + tanh u) is sigmoid(2u), u = √(2/π) (x + 0.044715 x³). */
struct GeluTanh {
  static constexpr float doubled = 1.5957691216057308f;  // 2 √(2/π)
  static constexpr float cubic = 0.044715f;
  static WEFT_INLINE vf gate(vf x) { return sigmoidOf((x * x * (doubled * cubic) + doubled) * x); }
  static WEFT_INLINE vf value(vf x) { return x * gate(x); }
  static WEFT_INLINE ValueAndSlope slope(vf x) {
    const vf s = gate(x);
    const vf inner = (x * x * (3 * doubled * cubic) + doubled) * x;
    return {x * s, s + inner * (s * (1.0f - s))};
  }
};

struct Silu {
  static WEFT_INLINE vf value(vf x) { return x / (vexp(-x) + 1.0f); }
  static WEFT_INLINE ValueAndSlope slope(vf x) {
    const vf s = sigmoidOf(x);
    return {x * s, s * (x * (1.0f - s) + 1.0f)};
  }
};

struct Sigmoid {
  static WEFT_INLINE vf value(vf x) { return sigmoidOf(x); }
};

/** NaN stays NaN. */
struct Relu {
  static WEFT_INLINE vf value(vf x) { return select(x < 0, vf{}, x); }
};

}  // namespace weft::WEFT_ISA
