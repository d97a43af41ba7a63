// softmax, logSoftmax and their gradients over one axis. Rows in memory go one by one; other axes in stripes of columns, which are
// rows of vectors. Sums go in double.
#include "elements.h"
#include "vector-math.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t rowGrain = 1 << 13;  // elements of a tile
constexpr int64_t stripeColumns = 256;
constexpr int64_t groupRows = 8;

/** [outer, size, inner], softmax over `size`. */
struct Layout {
  int64_t outer = 1, size = 1, inner = 1;
};

Layout layoutOf(Run& run, const View& x) {
  const int64_t axis = run.attributes().integer();
  if (axis < 0 || axis >= x.rank) fail("%s: axis %lld of %d", run.operation(), static_cast<long long>(axis), x.rank);
  Layout layout;
  for (int i = 0; i < x.rank; i++) (i < axis ? layout.outer : i > axis ? layout.inner : layout.size) *= x.dims[i];
  return layout;
}

WEFT_INLINE int lanes(int64_t at, int64_t end) { return static_cast<int>(min<int64_t>(VW, end - at)); }
/** x where a lane exists, else `other`. */
WEFT_INLINE vf existing(vf x, int n, vf other) {
  if (n == VW) return x;
  for (int i = n; i < VW; i++) x[i] = other[i];
  return x;
}

template <class T> float rowMax(const T* x, int64_t n) {
  const vf lowest = splat(-INFINITY);
  vf a = lowest, b = lowest;
  int64_t i = 0;
  for (; i + 2 * VW <= n; i += 2 * VW) {
    a = vmax(loadAs(x + i, VW), a);
    b = vmax(loadAs(x + i + VW, VW), b);
  }
  for (; i < n; i += VW) a = vmax(existing(loadAs(x + i, lanes(i, n)), lanes(i, n), lowest), a);
  return maxLanes(vmax(a, b));
}

/** Calls f(i, lanes), which gives a vector with zeros where no lane is, and adds all up. */
template <class F> WEFT_INLINE double sumVectors(int64_t n, const F& f) {
  WideSum total;
  int64_t i = 0;
  for (; i + 4 * VW <= n; i += 4 * VW) total.add((f(i, VW) + f(i + VW, VW)) + (f(i + 2 * VW, VW) + f(i + 3 * VW, VW)));
  for (; i < n; i += VW) total.add(f(i, lanes(i, n)));
  return total.total();
}

template <class F> WEFT_INLINE void eachVector(int64_t n, const F& f) {
  int64_t i = 0;
  for (; i + VW <= n; i += VW) f(i, VW);
  if (i < n) f(i, lanes(i, n));
}

// Where the maximum is −∞ or NaN, x − max is NaN throughout, as it is in the decomposition.
template <class T> void softmaxRow(const T* x, T* out, int64_t n, float* powers) {
  const vf high = splat(rowMax(x, n));
  const double total = sumVectors(n, [&](int64_t i, int count) {
    const vf power = existing(vexp(loadAs(x + i, count) - high), count, vf{});
    storeAs(powers + i, power, count);
    return power;
  });
  const vf share = splat(static_cast<float>(1.0 / total));
  eachVector(n, [&](int64_t i, int count) { storeAs(out + i, loadAs(powers + i, count) * share, count); });
}

template <class T> void logSoftmaxRow(const T* x, T* out, int64_t n) {
  const vf high = splat(rowMax(x, n));
  const double total = sumVectors(n, [&](int64_t i, int count) { return existing(vexp(loadAs(x + i, count) - high), count, vf{}); });
  const vf logTotal = splat(static_cast<float>(::log(total)));
  eachVector(n, [&](int64_t i, int count) { storeAs(out + i, (loadAs(x + i, count) - high) - logTotal, count); });
}

template <class T> void softmaxGradientRow(const T* y, const T* g, T* out, int64_t n) {
  const vf total = splat(static_cast<float>(sumVectors(n, [&](int64_t i, int count) { return loadAs(y + i, count) * loadAs(g + i, count); })));
  eachVector(n, [&](int64_t i, int count) {
    const vf share = loadAs(y + i, count);
    storeAs(out + i, share * loadAs(g + i, count) - share * total, count);
  });
}

template <class T> void logSoftmaxGradientRow(const T* y, const T* g, T* out, int64_t n) {
  const vf total = splat(static_cast<float>(sumVectors(n, [&](int64_t i, int count) { return loadAs(g + i, count); })));
  eachVector(n, [&](int64_t i, int count) { storeAs(out + i, loadAs(g + i, count) - vexp(loadAs(y + i, count)) * total, count); });
}

/** totals[c] = Σ over rows of f(row, c, lanes). */
template <class F> WEFT_INLINE void sumColumns(int64_t rows, int64_t columns, float* totals, const F& f) {
  alignas(64) double wide[stripeColumns];
  for (int64_t c = 0; c < columns; c++) wide[c] = 0;
  for (int64_t row = 0; row < rows; row += groupRows) {
    const int number = static_cast<int>(min(groupRows, rows - row));
    for (int64_t c = 0; c < columns; c += VW) {
      const int count = lanes(c, columns);
      addTo(wide + c, sumOfRows(number, [&](int k) { return f(row + k, c, count); }), count);
    }
  }
  for (int64_t c = 0; c < columns; c++) totals[c] = static_cast<float>(wide[c]);
}

template <class F> WEFT_INLINE void eachOfColumns(int64_t rows, int64_t columns, const F& f) {
  for (int64_t row = 0; row < rows; row++)
    for (int64_t c = 0; c < columns; c += VW) f(row, c, lanes(c, columns));
}

/** A stripe of columns: x, out and their row stride. */
template <bool isLog, class T> void softmaxColumns(const T* x, T* out, int64_t rows, int64_t stride, int64_t columns) {
  alignas(64) float highs[stripeColumns], totals[stripeColumns];
  for (int64_t c = 0; c < columns; c += VW) {
    const int count = lanes(c, columns);
    vf high = splat(-INFINITY);
    for (int64_t row = 0; row < rows; row++) high = vmax(loadAs(x + row * stride + c, count), high);
    storePart(highs + c, high, count);
  }
  const auto low = [&](int64_t row, int64_t c, int count) { return loadAs(x + row * stride + c, count) - loadPart(highs + c, count); };
  sumColumns(rows, columns, totals, [&](int64_t row, int64_t c, int count) { return vexp(low(row, c, count)); });
  for (int64_t c = 0; c < columns; c++) totals[c] = isLog ? static_cast<float>(::log(static_cast<double>(totals[c]))) : 1.0f / totals[c];
  eachOfColumns(rows, columns, [&](int64_t row, int64_t c, int count) {
    const vf total = loadPart(totals + c, count);
    storeAs(out + row * stride + c, isLog ? low(row, c, count) - total : vexp(low(row, c, count)) * total, count);
  });
}

template <bool isLog, class T> void gradientColumns(const T* y, const T* g, T* out, int64_t rows, int64_t stride, int64_t columns) {
  alignas(64) float totals[stripeColumns];
  sumColumns(rows, columns, totals, [&](int64_t row, int64_t c, int count) {
    const vf gradient = loadAs(g + row * stride + c, count);
    return isLog ? gradient : gradient * loadAs(y + row * stride + c, count);
  });
  eachOfColumns(rows, columns, [&](int64_t row, int64_t c, int count) {
    const vf gradient = loadAs(g + row * stride + c, count), output = loadAs(y + row * stride + c, count), total = loadPart(totals + c, count);
    storeAs(out + row * stride + c, isLog ? gradient - vexp(output) * total : output * gradient - output * total, count);
  });
}

/** onRow(offset, worker) for each row in memory, or onColumns(offset, stride, columns) for each stripe. */
template <class R, class C> WEFT_INLINE void eachPart(Run& run, const Layout& layout, const R& onRow, const C& onColumns) {
  const auto [outer, size, inner] = layout;
  if (outer * size * inner == 0) return;
  if (inner == 1) {
    run.parallelRanges(outer, max<int64_t>(1, rowGrain / size), [&](int64_t begin, int64_t end, int worker) {
      for (int64_t row = begin; row < end; row++) onRow(row * layout.size, worker);
    });
    return;
  }
  const int64_t stripes = ceilDiv(inner, stripeColumns);
  run.parallelRanges(outer * stripes, max<int64_t>(1, rowGrain / (size * min(inner, stripeColumns))), [&](int64_t begin, int64_t end, int) {
    for (int64_t tile = begin; tile < end; tile++) {
      const int64_t from = tile % stripes * stripeColumns;
      onColumns(tile / stripes * layout.size * layout.inner + from, layout.inner, min(stripeColumns, layout.inner - from));
    }
  });
}

template <bool isLog> void forward(Run& run) {
  const View& x = run.input(0);
  const View& out = run.output(0);
  if (!x.sameShape(out) || x.dtype != out.dtype) fail("%s: expected an output like the input", run.operation());
  const Layout layout = layoutOf(run, x);
  withFloatType(x.dtype, run.operation(), [&](auto* type) {
    using T = Pointee<decltype(type)>;
    const T* from = x.as<T>();
    T* to = out.as<T>();
    eachPart(
        run, layout,
        [&](int64_t at, int worker) {
          if constexpr (isLog) logSoftmaxRow(from + at, to + at, layout.size);
          else if constexpr (isSame<T, float>) softmaxRow(from + at, to + at, layout.size, to + at);
          else softmaxRow(from + at, to + at, layout.size, run.scratchOf<float>(worker, 0, layout.size));
        },
        [&](int64_t at, int64_t stride, int64_t columns) { softmaxColumns<isLog>(from + at, to + at, layout.size, stride, columns); });
  });
}

template <bool isLog> void backward(Run& run) {
  const View& y = run.input(0);
  const View& g = run.input(1);
  const View& out = run.output(0);
  if (!y.sameShape(g) || !y.sameShape(out) || y.dtype != g.dtype || y.dtype != out.dtype) fail("%s: expected inputs and an output of one shape and dtype", run.operation());
  const Layout layout = layoutOf(run, y);
  withFloatType(y.dtype, run.operation(), [&](auto* type) {
    using T = Pointee<decltype(type)>;
    const T *output = y.as<T>(), *gradient = g.as<T>();
    T* to = out.as<T>();
    eachPart(
        run, layout,
        [&](int64_t at, int) {
          if constexpr (isLog) logSoftmaxGradientRow(output + at, gradient + at, to + at, layout.size);
          else softmaxGradientRow(output + at, gradient + at, to + at, layout.size);
        },
        [&](int64_t at, int64_t stride, int64_t columns) { gradientColumns<isLog>(output + at, gradient + at, to + at, layout.size, stride, columns); });
  });
}

WEFT_KERNEL("softmax", forward<false>)
WEFT_KERNEL("logSoftmax", forward<true>)
WEFT_KERNEL("softmaxBackward", backward<false>)
WEFT_KERNEL("logSoftmaxBackward", backward<true>)

}  // namespace
}  // namespace weft::WEFT_ISA
