// reduce: sum, max and min over any axes. Neighbouring axes are joined, then one group of reduced axes after the other is folded, the
// fastest first; in between, floats are f32.
//
// Sums are right to a few ulp however long: blocks are summed in f32, in vectors, and blocks are added up in double. The blocks depend
// on the shape alone, so the result is the same bits for any number of threads.
#include "elements.h"

namespace weft::WEFT_ISA {
namespace {

// In the order of src/operations/primitives.ts.
enum ReduceOp { opSum, opMax, opMin };

// Floats: how vectors and partial results are combined. A partial result is a double: exact for max and min.
struct SumFloat {
  static constexpr float start = 0;
  static WEFT_INLINE vf add(vf total, vf x) { return total + x; }
  static WEFT_INLINE double join(double total, double x) { return total + x; }
  static WEFT_INLINE float one(float total, float x) { return total + x; }
};
struct MaxFloat {
  static constexpr float start = -__builtin_inff();
  static WEFT_INLINE vf add(vf total, vf x) { return select((x > total) | (x != x), x, total); }
  static WEFT_INLINE double join(double total, double x) { return x > total || x != x ? x : total; }
  static WEFT_INLINE float one(float total, float x) { return x > total || x != x ? x : total; }
};
struct MinFloat {
  static constexpr float start = __builtin_inff();
  static WEFT_INLINE vf add(vf total, vf x) { return select((x < total) | (x != x), x, total); }
  static WEFT_INLINE double join(double total, double x) { return x < total || x != x ? x : total; }
  static WEFT_INLINE float one(float total, float x) { return x < total || x != x ? x : total; }
};

template <class Op> WEFT_INLINE double joinLanes(vf x) {
  if constexpr (isSame<Op, SumFloat>) return static_cast<double>(sumLanes(x));
  double total = static_cast<double>(x[0]);
  for (int i = 1; i < VW; i++) total = Op::join(total, static_cast<double>(x[i]));
  return total;
}

constexpr int64_t blockElements = 4096;  // of a row, summed in f32: 4 × VW running sums of 4096 / (4 VW) terms
constexpr int64_t chunkElements = 8 * blockElements;
constexpr int64_t shortLength = 16;
constexpr int64_t blockRows = 64;
constexpr int64_t stripeColumns = 512;

/** A row of at most chunkElements. */
template <class Op, class T> double foldRow(const T* x, int64_t n) {
  double total = static_cast<double>(Op::start);
  for (int64_t begin = 0; begin < n; begin += blockElements) {
    const int64_t end = min(begin + blockElements, n);
    const vf start = splat(Op::start);
    vf t0 = start, t1 = start, t2 = start, t3 = start;
    int64_t i = begin;
    for (; i + 4 * VW <= end; i += 4 * VW) {
      t0 = Op::add(t0, loadAs(x + i, VW));
      t1 = Op::add(t1, loadAs(x + i + VW, VW));
      t2 = Op::add(t2, loadAs(x + i + 2 * VW, VW));
      t3 = Op::add(t3, loadAs(x + i + 3 * VW, VW));
    }
    for (; i + VW <= end; i += VW) t0 = Op::add(t0, loadAs(x + i, VW));
    if (i < end) {
      const int rest = static_cast<int>(end - i);
      vf last = loadAs(x + i, rest);
      if constexpr (!isSame<Op, SumFloat>)
        for (int k = rest; k < VW; k++) last[k] = Op::start;
      t1 = Op::add(t1, last);
    }
    total = Op::join(total, joinLanes<Op>(Op::add(Op::add(t0, t1), Op::add(t2, t3))));
  }
  return total;
}

WEFT_INLINE void putOne(float* out, double x) { *out = static_cast<float>(x); }
WEFT_INLINE void putOne(Bf16* out, double x) { out->bits = narrowBf16(static_cast<float>(x)); }
WEFT_INLINE void putOne(F16* out, double x) { out->bits = narrowF16(static_cast<float>(x)); }

/** Rows too short for a vector to be worth its sum over lanes: one after the other, several under way at once. */
template <class Op, class T> void foldShortRows(const T* x, int64_t rows, int64_t length, float* out) {
  for (int64_t row = 0; row < rows; row++, x += length) {
    float total = Op::start;
    for (int64_t i = 0; i < length; i++) total = Op::one(total, computed(x[i]));
    out[row] = total;
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

/** totals[c] ⊕= x[r, c] for `rows` rows and a stripe of columns. Blocks of rows in f32, blocks in double. */
template <class Op, class T> void foldStripe(const T* x, int64_t rows, int64_t stride, int64_t columns, double* totals) {
  alignas(64) float partial[stripeColumns];
  for (int64_t c = 0; c < columns; c++) totals[c] = static_cast<double>(Op::start);
  for (int64_t begin = 0; begin < rows; begin += blockRows) {
    const int64_t end = min(begin + blockRows, rows);
    for (int64_t row = begin; row < end; row += 4) {
      const T* at = x + row * stride;
      const int64_t count = min<int64_t>(4, end - row);
      for (int64_t c = 0; c < columns; c += VW) {
        const int n = static_cast<int>(min<int64_t>(VW, columns - c));
        vf sum = loadAs(at + c, n);
        if (count == 4) sum = Op::add(Op::add(sum, loadAs(at + stride + c, n)), Op::add(loadAs(at + 2 * stride + c, n), loadAs(at + 3 * stride + c, n)));
        else
          for (int64_t k = 1; k < count; k++) sum = Op::add(sum, loadAs(at + k * stride + c, n));
        if (row > begin) sum = Op::add(loadPart(partial + c, n), sum);
        storePart(partial + c, sum, n);
      }
    }
    for (int64_t c = 0; c < columns; c++) totals[c] = Op::join(totals[c], static_cast<double>(partial[c]));
  }
}

/** [outer, rows, columns] → [outer, columns]. */
template <class Op, class T, class Out> void foldColumns(Run& run, const T* x, int64_t outer, int64_t rows, int64_t columns, Out* out) {
  // Narrow matrices are read as wider ones with fewer rows; the columns that then stand for one are joined at the end.
  const int64_t widening = columns >= 64 || rows < 256 ? 1 : min(ceilDiv(128, columns), rows / 16);
  const int64_t width = columns * widening, wideRows = rows / widening, rest = rows - wideRows * widening;
  const int64_t stripes = ceilDiv(width, stripeColumns);
  // Chunks of rows, so that a tall matrix keeps all threads busy.
  const int64_t chunkRows = max(blockRows, ceilDiv(ceilDiv(int64_t{1} << 16, min(width, stripeColumns)), blockRows) * blockRows);
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
