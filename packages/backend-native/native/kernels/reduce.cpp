// reduce: sum, max and min over any axes. Neighbouring axes are joined, then one group of reduced axes after the other is folded, the
// fastest first; in between, floats are f32.
//
// Sums are right to the last digits however long: four or eight terms at a time in f32, all else in double. How terms are grouped depends
// on the shape alone, so the result is the same bits for any number of threads.
#include "elements.h"
#include "wide-sum.h"

namespace weft::WEFT_ISA {
namespace {

// In the order of src/operations/primitives.ts.
enum ReduceOp { opSum, opMax, opMin };

// How extremes are combined. Partial results are doubles, exact for them too.
struct MaxFloat {
  static constexpr float start = -__builtin_inff();
  static WEFT_INLINE vf add(vf total, vf x) { return select((x > total) | (x != x), x, total); }
  static WEFT_INLINE double join(double total, double x) { return x > total || x != x ? x : total; }
};
struct MinFloat {
  static constexpr float start = __builtin_inff();
  static WEFT_INLINE vf add(vf total, vf x) { return select((x < total) | (x != x), x, total); }
  static WEFT_INLINE double join(double total, double x) { return x < total || x != x ? x : total; }
};
struct SumFloat {
  static constexpr float start = 0;
  static WEFT_INLINE double join(double total, double x) { return total + x; }
};

constexpr int64_t chunkElements = 1 << 15;  // of a long row, by one thread
constexpr int64_t shortLength = 16;
constexpr int64_t stripeColumns = 512;
constexpr int64_t groupRows = 8;

WEFT_INLINE int lanesOf(int64_t at, int64_t end) { return static_cast<int>(min<int64_t>(VW, end - at)); }

template <class T> double sumRow(const T* x, int64_t n) {
  WideSum a, b;
  int64_t i = 0;
  for (; i + 8 * VW <= n; i += 8 * VW) {
    a.add((loadAs(x + i, VW) + loadAs(x + i + VW, VW)) + (loadAs(x + i + 2 * VW, VW) + loadAs(x + i + 3 * VW, VW)));
    b.add((loadAs(x + i + 4 * VW, VW) + loadAs(x + i + 5 * VW, VW)) + (loadAs(x + i + 6 * VW, VW) + loadAs(x + i + 7 * VW, VW)));
  }
  for (; i + VW <= n; i += VW) a.add(loadAs(x + i, VW));
  if (i < n) b.add(loadAs(x + i, static_cast<int>(n - i)));
  a.add(b);
  return a.total();
}

/** A row of at most chunkElements. */
template <class Op, class T> double foldRow(const T* x, int64_t n) {
  if constexpr (isSame<Op, SumFloat>) return sumRow(x, n);
  else {
    const vf start = splat(Op::start);
    vf t[4] = {start, start, start, start};
    int64_t i = 0;
    for (; i + 4 * VW <= n; i += 4 * VW)
      for (int k = 0; k < 4; k++) t[k] = Op::add(t[k], loadAs(x + i + k * VW, VW));
    for (; i < n; i += VW) {
      vf last = loadAs(x + i, lanesOf(i, n));
      for (int k = lanesOf(i, n); k < VW; k++) last[k] = Op::start;
      t[0] = Op::add(t[0], last);
    }
    const vf both = Op::add(Op::add(t[0], t[1]), Op::add(t[2], t[3]));
    double total = static_cast<double>(both[0]);
    for (int k = 1; k < VW; k++) total = Op::join(total, static_cast<double>(both[k]));
    return total;
  }
}

WEFT_INLINE void putOne(float* out, double x) { *out = static_cast<float>(x); }
WEFT_INLINE void putOne(Bf16* out, double x) { out->bits = narrowBf16(static_cast<float>(x)); }
WEFT_INLINE void putOne(F16* out, double x) { out->bits = narrowF16(static_cast<float>(x)); }

/** Rows too short for a vector to be worth its sum over lanes: one after the other, several under way at once. */
template <class Op, class T> void foldShortRows(const T* x, int64_t rows, int64_t length, float* out) {
  for (int64_t row = 0; row < rows; row++, x += length) {
    double total = static_cast<double>(Op::start);
    for (int64_t i = 0; i < length; i++) total = Op::join(total, static_cast<double>(computed(x[i])));
    out[row] = static_cast<float>(total);
  }
}

/** [rows, length] → [rows]. */
template <class Op, class T, class Out> void foldRows(Run& run, const T* x, int64_t rows, int64_t length, Out* out) {
  if (length < shortLength) {
    run.parallelRanges(rows, chunkElements / shortLength, [&](int64_t begin, int64_t end, int) {
      float totals[256];
      for (int64_t row = begin; row < end; row += 256) {
        const int64_t count = min<int64_t>(256, end - row);
        foldShortRows<Op>(x + row * length, count, length, totals);
        convertRow(out + row, totals, count);
      }
    });
    return;
  }
  if (length <= chunkElements) {
    run.parallelRanges(rows, max<int64_t>(1, chunkElements / max<int64_t>(length, 1)), [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) putOne(out + row, foldRow<Op>(x + row * length, length));
    });
    return;
  }
  const int64_t chunks = ceilDiv(length, chunkElements);
  double* parts = run.temporaryOf<double>(rows * chunks);
  run.parallelRanges(rows * chunks, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t tile = begin; tile < end; tile++) {
      const int64_t row = tile / chunks, from = tile % chunks * chunkElements;
      parts[tile] = foldRow<Op>(x + row * length + from, min(chunkElements, length - from));
    }
  });
  for (int64_t row = 0; row < rows; row++) {
    double total = static_cast<double>(Op::start);
    for (int64_t k = 0; k < chunks; k++) total = Op::join(total, parts[row * chunks + k]);
    putOne(out + row, total);
  }
}

/** totals[c] = the fold over `rows` rows of a stripe of columns. */
template <class Op, class T> void foldStripe(const T* x, int64_t rows, int64_t stride, int64_t columns, double* totals) {
  for (int64_t c = 0; c < columns; c++) totals[c] = static_cast<double>(Op::start);
  if constexpr (isSame<Op, SumFloat>) {
    for (int64_t row = 0; row < rows; row += groupRows) {
      const T* at = x + row * stride;
      const int count = static_cast<int>(min(groupRows, rows - row));
      for (int64_t c = 0; c < columns; c += VW) {
        const int n = lanesOf(c, columns);
        addTo(totals + c, sumOfRows(count, [&](int k) { return loadAs(at + k * stride + c, n); }), n);
      }
    }
  } else {
    alignas(64) float extremes[stripeColumns];
    for (int64_t c = 0; c < columns; c++) extremes[c] = Op::start;
    for (int64_t row = 0; row < rows; row += 4) {
      const T* at = x + row * stride;
      const int count = static_cast<int>(min<int64_t>(4, rows - row));
      for (int64_t c = 0; c < columns; c += VW) {
        const int n = lanesOf(c, columns);
        vf total = loadAs(extremes + c, n);
        for (int k = 0; k < count; k++) total = Op::add(total, loadAs(at + k * stride + c, n));
        storeAs(extremes + c, total, n);
      }
    }
    for (int64_t c = 0; c < columns; c++) totals[c] = static_cast<double>(extremes[c]);
  }
}

/** [outer, rows, columns] → [outer, columns]. */
template <class Op, class T, class Out> void foldColumns(Run& run, const T* x, int64_t outer, int64_t rows, int64_t columns, Out* out) {
  // Narrow matrices are read as wider ones with fewer rows; the columns that then stand for one are joined at the end.
  const int64_t widening = columns >= 64 || rows < 256 ? 1 : min(ceilDiv(128, columns), rows / 16);
  const int64_t width = columns * widening, wideRows = rows / widening, rest = rows - wideRows * widening;
  const int64_t stripes = ceilDiv(width, stripeColumns);
  // Chunks of rows, so that a tall matrix keeps all threads busy.
  const int64_t chunkRows = ceilDiv(ceilDiv(int64_t{1} << 16, min(width, stripeColumns)), groupRows) * groupRows;
  const int64_t chunks = max<int64_t>(1, ceilDiv(wideRows, chunkRows));
  const int64_t tiles = outer * stripes * chunks;
  double* parts = run.temporaryOf<double>(outer * chunks * width);
  const int64_t tileElements = min(width, stripeColumns) * min(wideRows, chunkRows);
  run.parallelRanges(tiles, max<int64_t>(1, chunkElements / max<int64_t>(tileElements, 1)), [&](int64_t begin, int64_t end, int) {
    for (int64_t tile = begin; tile < end; tile++) {
      const int64_t from = tile % stripes * stripeColumns, chunk = tile / stripes % chunks, o = tile / (stripes * chunks);
      const int64_t count = min(stripeColumns, width - from), firstRow = chunk * chunkRows;
      foldStripe<Op>(x + o * rows * columns + firstRow * width + from, min(chunkRows, wideRows - firstRow), width, count, parts + (o * chunks + chunk) * width + from);
    }
  });
  run.parallelRanges(outer, max<int64_t>(1, chunkElements / max<int64_t>(columns * (chunks * widening + rest), 1)), [&](int64_t begin, int64_t end, int) {
    for (int64_t o = begin; o < end; o++) {
      for (int64_t c = 0; c < columns; c++) {
        double total = static_cast<double>(Op::start);
        for (int64_t k = 0; k < chunks * widening; k++) total = Op::join(total, parts[o * chunks * width + k * columns + c]);
        for (int64_t row = rows - rest; row < rows; row++) total = Op::join(total, static_cast<double>(loadAs(x + (o * rows + row) * columns + c, 1)[0]));
        putOne(out + o * columns + c, total);
      }
    }
  });
}

template <class Op, class T, class Out> void foldGroup(Run& run, const T* x, int64_t outer, int64_t size, int64_t inner, Out* out) {
  if (inner == 1) foldRows<Op>(run, x, outer, size, out);
  else foldColumns<Op>(run, x, outer, size, inner, out);
}

WEFT_INLINE int32_t foldInteger(ReduceOp op, int32_t total, int32_t x) {
  if (op == opSum) return static_cast<int32_t>(static_cast<uint32_t>(total) + static_cast<uint32_t>(x));
  return op == opMax ? max(total, x) : min(total, x);
}

template <ReduceOp op, class T> WEFT_INLINE int32_t foldIntegerRow(const T* x, int64_t n, int32_t total) {
  for (int64_t i = 0; i < n; i++) total = foldInteger(op, total, x[i]);
  return total;
}

template <ReduceOp op, class T> WEFT_INLINE void addIntegerRow(const T* x, int64_t n, int32_t* totals) {
  for (int64_t i = 0; i < n; i++) totals[i] = foldInteger(op, totals[i], x[i]);
}

// Integers: modulo 2^32 for sums, whose low bytes are right for u8 too.
template <ReduceOp op, class T, class Out> void foldIntegers(Run& run, int32_t start, const T* x, int64_t outer, int64_t size, int64_t inner, Out* out) {
  run.parallelRanges(outer, max<int64_t>(1, chunkElements / max<int64_t>(size * inner, 1)), [&](int64_t begin, int64_t end, int worker) {
    int32_t* totals = run.scratchOf<int32_t>(worker, 0, inner);
    for (int64_t o = begin; o < end; o++) {
      if (inner == 1) {
        out[o] = static_cast<Out>(foldIntegerRow<op>(x + o * size, size, start));
        continue;
      }
      for (int64_t c = 0; c < inner; c++) totals[c] = start;
      for (int64_t r = 0; r < size; r++) addIntegerRow<op>(x + (o * size + r) * inner, inner, totals);
      for (int64_t c = 0; c < inner; c++) out[o * inner + c] = static_cast<Out>(totals[c]);
    }
  });
}

template <class T, class Out> void foldGroup(Run& run, ReduceOp op, const T* x, int64_t outer, int64_t size, int64_t inner, Out* out) {
  if constexpr (isSame<typename Computed<T>::Type, int32_t>) {
    constexpr bool isByte = isSame<Out, uint8_t> || isSame<T, uint8_t>;
    constexpr int32_t top = isByte ? 255 : (1 << 24) - 1, bottom = isByte ? 0 : -top;  // where i32 is exact
    if (op == opSum) foldIntegers<opSum>(run, 0, x, outer, size, inner, out);
    else if (op == opMax) foldIntegers<opMax>(run, bottom, x, outer, size, inner, out);
    else foldIntegers<opMin>(run, top, x, outer, size, inner, out);
  } else if (op == opSum) foldGroup<SumFloat>(run, x, outer, size, inner, out);
  else if (op == opMax) foldGroup<MaxFloat>(run, x, outer, size, inner, out);
  else foldGroup<MinFloat>(run, x, outer, size, inner, out);
}

/** Groups of axes, kept and reduced by turns. */
struct Groups {
  int count = 0;
  int64_t sizes[maxRank];
  bool isReduced[maxRank];

  void add(int64_t size, bool reduced) {
    if (size == 1) return;
    if (count > 0 && isReduced[count - 1] == reduced) sizes[count - 1] *= size;
    else {
      sizes[count] = size;
      isReduced[count++] = reduced;
    }
  }
  int lastReduced() const {
    for (int i = count - 1; i >= 0; i--)
      if (isReduced[i]) return i;
    return -1;
  }
  void remove(int at) {
    Groups next;
    for (int i = 0; i < count; i++)
      if (i != at) next.add(sizes[i], isReduced[i]);
    *this = next;
  }
};

template <class T, class Out> void foldLast(Run& run, ReduceOp op, Groups& groups, const T* x, Out* out) {
  const int at = groups.lastReduced();
  int64_t outer = 1, inner = 1;
  for (int i = 0; i < at; i++) outer *= groups.sizes[i];
  for (int i = at + 1; i < groups.count; i++) inner *= groups.sizes[i];
  foldGroup(run, op, x, outer, groups.sizes[at], inner, out);
  groups.remove(at);
}

template <class T> void reduceOf(Run& run, ReduceOp op, Groups& groups) {
  using C = typename Computed<T>::Type;
  const View& x = run.input(0);
  T* out = run.output(0).as<T>();
  int reduced = 0;
  for (int i = 0; i < groups.count; i++) reduced += groups.isReduced[i];
  if (reduced == 0) {
    memcpy(out, x.data, static_cast<size_t>(x.size) * sizeof(T));
    return;
  }
  if (reduced == 1) return foldLast(run, op, groups, x.as<T>(), out);
  const auto sizeAfter = [&] {
    int64_t size = 1;
    for (int i = 0; i < groups.count; i++) size *= i == groups.lastReduced() ? 1 : groups.sizes[i];
    return size;
  };
  C* between = run.temporaryOf<C>(sizeAfter());
  foldLast(run, op, groups, x.as<T>(), between);
  for (; reduced > 2; reduced--) {
    C* next = run.temporaryOf<C>(sizeAfter());
    foldLast(run, op, groups, between, next);
    between = next;
  }
  foldLast(run, op, groups, between, out);
}

void reduce(Run& run) {
  const View& x = run.input(0);
  const View& out = run.output(0);
  Attributes attributes = run.attributes();
  const int64_t op = attributes.integer();
  const Attributes::List axes = attributes.list();
  if (op < opSum || op > opMin || axes.count < 0 || x.dtype != out.dtype) fail("reduce: wrong attributes");
  bool isReduced[maxRank] = {};
  for (int64_t i = 0; i < axes.count; i++) {
    if (axes[i] < 0 || axes[i] >= x.rank) fail("reduce: axis %lld of %d", static_cast<long long>(axes[i]), x.rank);
    isReduced[axes[i]] = true;
  }
  Groups groups;
  int64_t kept = 1;
  for (int axis = 0; axis < x.rank; axis++) {
    groups.add(x.dims[axis], isReduced[axis]);
    if (!isReduced[axis]) kept *= x.dims[axis];
  }
  if (kept != out.size) fail("reduce: expected an output of %lld elements", static_cast<long long>(kept));
  if (kept == 0) return;
  withType(x.dtype, [&](auto* type) { reduceOf<Pointee<decltype(type)>>(run, static_cast<ReduceOp>(op), groups); });
}

WEFT_KERNEL("reduce", reduce)

}  // namespace
}  // namespace weft::WEFT_ISA
