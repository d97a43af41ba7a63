// cumSum: running sums along an axis, in double for floats and modulo 2^32 for integers.
#include "elements.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t grain = 1 << 15;
constexpr int64_t stripeColumns = 256;

template <class T> struct Total { using Type = double; };
template <> struct Total<int32_t> { using Type = uint32_t; };
template <> struct Total<uint8_t> { using Type = uint32_t; };

WEFT_INLINE double valueOf(float x) { return static_cast<double>(x); }
WEFT_INLINE double valueOf(Bf16 x) { return static_cast<double>(widenBf16(x.bits)); }
WEFT_INLINE double valueOf(F16 x) { return static_cast<double>(widenF16(x.bits)); }
WEFT_INLINE uint32_t valueOf(int32_t x) { return static_cast<uint32_t>(x); }
WEFT_INLINE uint32_t valueOf(uint8_t x) { return x; }
WEFT_INLINE void put(float* out, double x) { *out = static_cast<float>(x); }
WEFT_INLINE void put(Bf16* out, double x) { out->bits = narrowBf16(static_cast<float>(x)); }
WEFT_INLINE void put(F16* out, double x) { out->bits = narrowF16(static_cast<float>(x)); }
WEFT_INLINE void put(int32_t* out, uint32_t x) { *out = static_cast<int32_t>(x); }
WEFT_INLINE void put(uint8_t* out, uint32_t x) { *out = static_cast<uint8_t>(x); }

/** Four at a time, so that only one addition in four waits for the one before it. `step` is 1, or −1 from the end. */
template <bool isExclusive, class T> void sumRow(const T* x, T* out, int64_t n, int64_t step) {
  using S = typename Total<T>::Type;
  S total = 0;
  int64_t i = 0;
  for (; i + 4 <= n; i += 4, x += 4 * step, out += 4 * step) {
    const S a = valueOf(x[0]), b = a + valueOf(x[step]), c = b + valueOf(x[2 * step]), d = c + valueOf(x[3 * step]);
    put(out, isExclusive ? total : total + a);
    put(out + step, total + (isExclusive ? a : b));
    put(out + 2 * step, total + (isExclusive ? b : c));
    put(out + 3 * step, total + (isExclusive ? c : d));
    total += d;
  }
  for (; i < n; i++, x += step, out += step) {
    const S value = valueOf(*x);
    put(out, isExclusive ? total : total + value);
    total += value;
  }
}

template <bool isExclusive, class T> void sumColumns(const T* x, T* out, int64_t rows, int64_t stride, int64_t columns) {
  typename Total<T>::Type totals[stripeColumns];
  for (int64_t c = 0; c < columns; c++) totals[c] = 0;
  for (int64_t row = 0; row < rows; row++, x += stride, out += stride) {
    for (int64_t c = 0; c < columns; c++) {
      const auto before = totals[c];
      totals[c] += valueOf(x[c]);
      put(out + c, isExclusive ? before : totals[c]);
    }
  }
}

template <bool isExclusive, class T> void cumSumOf(Run& run, int64_t outer, int64_t size, int64_t inner, bool isReverse) {
  const T* x = run.input(0).as<T>();
  T* out = run.output(0).as<T>();
  const int64_t stripes = ceilDiv(inner, stripeColumns);
  run.parallelRanges(outer * stripes, max<int64_t>(1, grain / (size * min(inner, stripeColumns))), [&](int64_t begin, int64_t end, int) {
    for (int64_t tile = begin; tile < end; tile++) {
      const int64_t from = tile % stripes * stripeColumns;
      const int64_t at = tile / stripes * size * inner + from + (isReverse ? (size - 1) * inner : 0);
      if (inner == 1) sumRow<isExclusive>(x + at, out + at, size, isReverse ? -1 : 1);
      else sumColumns<isExclusive>(x + at, out + at, size, isReverse ? -inner : inner, min(stripeColumns, inner - from));
    }
  });
}

void cumSum(Run& run) {
  const View& x = run.input(0);
  const View& out = run.output(0);
  Attributes attributes = run.attributes();
  const int64_t axis = attributes.integer();
  const bool isExclusive = attributes.number() == 1, isReverse = attributes.number() == 1;  // absent: NaN
  if (axis < 0 || axis >= x.rank || x.dtype != out.dtype || !x.sameShape(out)) fail("cumSum: axis %lld of %d", static_cast<long long>(axis), x.rank);
  if (x.size == 0) return;
  int64_t outer = 1, inner = 1;
  for (int i = 0; i < x.rank; i++) {
    if (i < axis) outer *= x.dims[i];
    if (i > axis) inner *= x.dims[i];
  }
  withType(x.dtype, [&](auto* type) {
    using T = Pointee<decltype(type)>;
    if (isExclusive) cumSumOf<true, T>(run, outer, x.dims[axis], inner, isReverse);
    else cumSumOf<false, T>(run, outer, x.dims[axis], inner, isReverse);
  });
}

WEFT_KERNEL("cumSum", cumSum)

}  // namespace
}  // namespace weft::WEFT_ISA
