// Sine and cosine of position · frequency, for a row of frequencies at one position.
#pragma once
#include "vector-math.h"

namespace weft::WEFT_ISA {

/** An angle as the nearest number of quarter turns and what is left. */
struct Reduced {
  vf rest;       // −π/4 … π/4
  vi quarters;  // of which the lowest two bits count
};

/** position · frequency; exact to some 1e-9 as long as the angle stays below 2^31. */
WEFT_INLINE Reduced reducedAngle(double position, vf frequency) {
  vfHalf halves[2], rests[2];
  memcpy(halves, &frequency, sizeof frequency);
  int32_t quarters[VW];
  for (int i = 0; i < 2; i++) {
    const vd angle = __builtin_convertvector(halves[i], vd) * position;
    // Adding it leaves the nearest whole number in the lowest bits.
    constexpr double magic = 0x1.8p52;
    const vd shifted = angle * 0x1.45f306dc9c883p-1 + magic;
    const vl bits = (vl)shifted;
    for (int lane = 0; lane < VW / 2; lane++) quarters[i * VW / 2 + lane] = static_cast<int32_t>(bits[lane]);
    const vd count = shifted - magic;
    // π/2 in three pieces, of which the products with a count below 2^31 are exact but for the last one.
    const vd rest = ((angle - count * 0x1.921fbp0) - count * 0x1.5110bp-22) - count * 0x1.18469898cc517p-44;
    rests[i] = __builtin_convertvector(rest, vfHalf);
  }
  Reduced reduced;
  memcpy(&reduced.rest, rests, sizeof rests);
  memcpy(&reduced.quarters, quarters, sizeof quarters);
  return reduced;
}

/** cosine[i] = scale · cos(position · frequencies[i]), sine likewise; `count` rounded up to VW elements are written. */
WEFT_INLINE void anglesOf(double position, const float* frequencies, int64_t count, float scale, float sineScale, float* cosine, float* sine) {
  for (int64_t i = 0; i < count; i += VW) {
    const auto [r, quarters] = reducedAngle(position, loadPart(frequencies + i, static_cast<int>(min<int64_t>(VW, count - i))));
    const vf square = r * r;
    vf s = splat(-0.00019514957966748625f);
    s = multiplyAdd(s, square, splat(0.00833215843886137f));
    s = multiplyAdd(s, square, splat(-0.16666655242443085f));
    s = multiplyAdd(s * square, r, r);
    vf c = splat(2.4432785721728578e-05f);
    c = multiplyAdd(c, square, splat(-0.0013887312961742282f));
    c = multiplyAdd(c, square, splat(0.04166664555668831f));
    c = multiplyAdd(c * square, square, 1.0f - 0.5f * square);
    const vi isOdd = (quarters & 1) != 0;
    const vi sineSign = (quarters & 2) << 30, cosineSign = ((quarters + 1) & 2) << 30;
    store(sine + i, floatsOf(bitsOf(select(isOdd, c, s)) ^ sineSign) * sineScale);
    store(cosine + i, floatsOf(bitsOf(select(isOdd, s, c)) ^ cosineSign) * scale);
  }
}

}  // namespace weft::WEFT_ISA
