#include "gemm-pack.h"

namespace weft::WEFT_ISA {
namespace {

WEFT_INLINE float widen(float x) { return x; }
WEFT_INLINE float widen(Bf16 x) { return widenBf16(x.bits); }
WEFT_INLINE float widen(F16 x) { return widenF16(x.bits); }

template <class T> void packPanel(const T* data, const PackSource& source, int count, int64_t steps, int width, bool pads, float* out) {
  for (int64_t p = 0; p < steps; p++, out += width) {
    const T* at = data + p * source.stepStride;
    for (int i = 0; i < count; i++) out[i] = widen(at[i * source.indexStride]);
    if (pads)
      for (int i = count; i < width; i++) out[i] = 0;
  }
}

}  // namespace

void packPanels(const PackSource& source, int64_t first, int64_t count, int64_t step, int64_t steps, int width, bool pads, float* out) {
  withFloatType(source.dtype, "gemm", [&]<class T>(T*) {
    const T* data = static_cast<const T*>(source.data) + first * source.indexStride + step * source.stepStride;
    for (int64_t i = 0; i < count; i += width, out += width * steps) {
      packPanel(data + i * source.indexStride, source, static_cast<int>(min<int64_t>(width, count - i)), steps, width, pads, out);
    }
  });
}

}  // namespace weft::WEFT_ISA
