// argMax: where along an axis the largest element stands, the first of several. A row with NaN gives its last place.
#include "row-search.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t grain = 1 << 15;
constexpr int64_t stripeColumns = 256;

template <class T> int32_t argMaxRow(const T* x, int64_t n) {
  if constexpr (isSame<typename Computed<T>::Type, float>) {
    const RowMax best = rowMaxOf(x, n);
    return static_cast<int32_t>(best.hasNaN ? n - 1 : firstEqual(x, n, best.value));
  } else {
    T best = x[0];
    for (int64_t i = 1; i < n; i++) best = max(best, x[i]);
    int64_t at = 0;
    while (x[at] != best) at++;
    return static_cast<int32_t>(at);
  }
}

template <class T> void argMaxColumns(const T* x, int32_t* out, int64_t rows, int64_t stride, int64_t columns) {
  using C = typename Computed<T>::Type;
  C best[stripeColumns], row[stripeColumns];
  convertRow(best, x, columns);
  for (int64_t c = 0; c < columns; c++) out[c] = best[c] == best[c] ? 0 : static_cast<int32_t>(rows - 1);
  for (int64_t r = 1; r < rows; r++) {
    convertRow(row, x + r * stride, columns);
    for (int64_t c = 0; c < columns; c++) {
      const C value = row[c];
      // Once NaN, `best` stays NaN.
      const bool isNaN = value != value, isBetter = value > best[c];
      out[c] = isNaN ? static_cast<int32_t>(rows - 1) : isBetter ? static_cast<int32_t>(r) : out[c];
      best[c] = isNaN || isBetter ? value : best[c];
    }
  }
}

template <class T> void argMaxOf(Run& run, int64_t outer, int64_t size, int64_t inner) {
  const T* x = run.input(0).as<T>();
  auto* out = run.output(0).as<int32_t>();
  const int64_t stripes = ceilDiv(inner, stripeColumns);
  run.parallelRanges(outer * stripes, max<int64_t>(1, grain / (size * min(inner, stripeColumns))), [&](int64_t begin, int64_t end, int) {
    for (int64_t tile = begin; tile < end; tile++) {
      const int64_t o = tile / stripes, from = tile % stripes * stripeColumns;
      if (inner == 1) out[o] = argMaxRow(x + o * size, size);
      else argMaxColumns(x + o * size * inner + from, out + o * inner + from, size, inner, min(stripeColumns, inner - from));
    }
  });
}

void argMax(Run& run) {
  const View& x = run.input(0);
  const View& out = run.output(0);
  const int64_t axis = run.attributes().integer();
  if (axis < 0 || axis >= x.rank || out.dtype != DType::i32) fail("argMax: axis %lld of %d", static_cast<long long>(axis), x.rank);
  int64_t outer = 1, inner = 1;
  for (int i = 0; i < x.rank; i++) {
    if (i < axis) outer *= x.dims[i];
    if (i > axis) inner *= x.dims[i];
  }
  const int64_t size = x.dims[axis];
  if (out.size != outer * inner || size > INT32_MAX) fail("argMax: expected an output of %lld elements", static_cast<long long>(outer * inner));
  if (out.size == 0) return;
  if (size == 0) fail("argMax: an axis of size 0 has no largest element");
  withType(x.dtype, [&](auto* type) { argMaxOf<Pointee<decltype(type)>>(run, outer, size, inner); });
}

WEFT_KERNEL("argMax", argMax)

}  // namespace
}  // namespace weft::WEFT_ISA
