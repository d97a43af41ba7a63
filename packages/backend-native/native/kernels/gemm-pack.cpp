#include "gemm-pack.h"

#include "gemm-transpose.h"

namespace weft::WEFT_ISA {
namespace {

/** One panel to be written: [steps][width], of which `count` are there. */
struct Panel {
  int64_t count, steps;
  int width;
  float* out;

  /**
   * Lanes i … i + VW of a step. Where the panel is narrower than a vector, what is too much falls on the next step, which is written
   * later; not so in the last ones.
   */
  WEFT_INLINE void write(int64_t step, int i, vf x) const {
    float* at = out + step * width + i;
    const int room = width - i;
    if (room >= VW || (i == 0 && step * width + VW <= steps * width)) store(at, x);
    else storePart(at, x, room);
  }
};

/** How many of the VW lanes from i on exist. */
WEFT_INLINE int lanesAt(int64_t i, int64_t count) { return static_cast<int>(max<int64_t>(0, min<int64_t>(VW, count - i))); }

// What a step consists of. `along` k-contiguous: VW steps of one index. `across` index-contiguous: one step of VW indices.

template <class T> struct FloatSteps {
  const T* data;  // of (index, step)
  int64_t indexStride, kStride;
  WEFT_INLINE vf along(int64_t i, int64_t step, int n) const { return loadAs(data + i * indexStride + step, n); }
  WEFT_INLINE vf across(int64_t i, int64_t step, int n) const { return loadAs(data + step * kStride + i, n); }
  WEFT_INLINE float at(int64_t i, int64_t step) const {
    if constexpr (sizeof(T) == 4) return data[i * indexStride + step * kStride];
    else return loadAs(data + i * indexStride + step * kStride, 1)[0];
  }
};

#if WEFT_LEVEL == 2
/** 0, 16, 1, 17 … */
WEFT_INLINE __m512i interleaved() {
  const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  return _mm512_or_si512(lanes, _mm512_slli_epi32(_mm512_add_epi32(lanes, _mm512_set1_epi32(16)), 16));
}
#endif

struct PairSteps {
  const Bf16* data;
  int64_t indexStride, kStride;
  int64_t rest;  // elements of k from data on
  WEFT_INLINE vf along(int64_t i, int64_t step, int n) const {
    vf x = {};
    const int64_t elements = min<int64_t>(2 * n, rest - 2 * step);
    const Bf16* from = data + i * indexStride + 2 * step;
    if (elements == 2 * VW) memcpy(&x, from, sizeof x);
    else memcpy(&x, from, static_cast<size_t>(elements) * 2);
    return x;
  }
  WEFT_INLINE vf across(int64_t i, int64_t step, int n) const {
    const Bf16* from = data + 2 * step * kStride + i;
    const bool isPair = 2 * step + 1 < rest;
#if WEFT_LEVEL == 2
    const __mmask16 lanes = static_cast<__mmask16>((1u << n) - 1);
    const __m256i first = _mm256_maskz_loadu_epi16(lanes, from);
    const __m256i second = _mm256_maskz_loadu_epi16(isPair ? lanes : 0, from + kStride);
    return (vf)_mm512_permutexvar_epi16(interleaved(), _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1));
#else
    const vi first = bitsOf(loadAs(from, n));  // widened: the bits stand in the upper half
    const vi second = isPair ? bitsOf(loadAs(from + kStride, n)) : vi{};
    return floatsOf((vi)((vu)first >> 16) | second);
#endif
  }
  WEFT_INLINE float at(int64_t i, int64_t step) const {
    uint16_t both[2] = {data[i * indexStride + 2 * step * kStride].bits, 0};
    if (2 * step + 1 < rest) both[1] = data[i * indexStride + (2 * step + 1) * kStride].bits;
    float bits;
    memcpy(&bits, both, 4);
    return bits;
  }
};

template <class Steps> WEFT_INLINE void packAlong(const Steps& from, const Panel& panel) {
  for (int i = 0; i < panel.width; i += VW) {
    const int lanes = lanesAt(i, panel.count);
    for (int64_t step = 0; step < panel.steps; step += VW) {
      const int n = lanesAt(step, panel.steps);
      vf block[VW];
      if (lanes == VW && n == VW) {
#pragma GCC unroll 16
        for (int r = 0; r < VW; r++) block[r] = from.along(i + r, step, VW);
      } else {
        for (int r = 0; r < VW; r++) block[r] = r < lanes ? from.along(i + r, step, n) : vf{};
      }
      transpose(block);
      if (n == VW && panel.width - i >= VW) {
#pragma GCC unroll 16
        for (int r = 0; r < VW; r++) store(panel.out + (step + r) * panel.width + i, block[r]);
      } else {
        for (int r = 0; r < n; r++) panel.write(step + r, i, block[r]);
      }
    }
  }
}

/** Whole vectors only. */
template <int vectors, class Steps> WEFT_INLINE void packAcrossFull(const Steps& from, int64_t steps, float* out) {
  for (int64_t step = 0; step < steps; step++, out += vectors * VW) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) store(out + v * VW, from.across(v * VW, step, VW));
  }
}

template <class Steps> WEFT_INLINE void packAcross(const Steps& from, const Panel& panel) {
  if (panel.count == panel.width && panel.width == tileColumns) return packAcrossFull<tileVectors>(from, panel.steps, panel.out);
  if (panel.count == panel.width && panel.width == VW) return packAcrossFull<1>(from, panel.steps, panel.out);
  for (int i = 0; i < panel.width; i += VW) {
    const int lanes = lanesAt(i, panel.count);
    for (int64_t step = 0; step < panel.steps; step++) panel.write(step, i, from.across(i, step, lanes));
  }
}

template <class Steps> WEFT_INLINE void packScattered(const Steps& from, const Panel& panel) {
  for (int64_t step = 0; step < panel.steps; step++)
    for (int i = 0; i < panel.width; i++) panel.out[step * panel.width + i] = i < panel.count ? from.at(i, step) : 0.0f;
}

template <class Steps> WEFT_INLINE void packFrom(const Steps& from, const Panel& panel) {
  if (from.kStride == 1) packAlong(from, panel);
  else if (from.indexStride == 1) packAcross(from, panel);
  else packScattered(from, panel);
}

}  // namespace

void packPanel(const PackSource& source, int64_t index, int64_t count, int64_t step, int64_t steps, int width, float* out) {
  const Panel panel{count, steps, width, out};
  if (source.kind == StepKind::pairs) {
    const Bf16* data = static_cast<const Bf16*>(source.data) + index * source.indexStride + 2 * step * source.kStride;
    return packFrom(PairSteps{data, source.indexStride, source.kStride, source.size - 2 * step}, panel);
  }
  withFloatType(source.dtype, "gemm", [&]<class T>(T*) {
    const T* data = static_cast<const T*>(source.data) + index * source.indexStride + step * source.kStride;
    packFrom(FloatSteps<T>{data, source.indexStride, source.kStride}, panel);
  });
}

}  // namespace weft::WEFT_ISA
