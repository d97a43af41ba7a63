// gather and scatterAdd: rows by i32 indices. Out of range: zeros, or ignored.
//
// scatterAdd sorts the updates by their row first (a counting sort, which keeps their order). Each row of the result then belongs to
// one thread, which adds its updates up in their order, eight at a time in f32 and those in double: the same bits for any number of
// threads.
#include "elements.h"
#include "wide-sum.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t moveGrain = 1 << 15;

/** Single elements: the indices are gone through once for each of the outer rows. */
template <class T> void gatherElements(Run& run, const T* x, const int32_t* indices, T* out, int64_t outer, int64_t size, int64_t count) {
  run.parallelRanges(outer * count, moveGrain, [&](int64_t begin, int64_t end, int) {
    for (int64_t at = begin; at < end;) {
      const int64_t row = at / count, first = at % count, number = min(end - at, count - first);
      const T* from = x + row * size;
      const int32_t* places = indices + first;
      for (int64_t k = 0; k < number; k++) {
        const int64_t index = places[k];
        // One comparison as unsigned; a row of size 0 has nothing to be read.
        out[at + k] = static_cast<uint64_t>(index) < static_cast<uint64_t>(size) ? from[index] : T{0};
      }
      at += number;
    }
  });
}

template <class T> void gatherRows(Run& run, const T* x, const int32_t* indices, T* out, int64_t outer, int64_t size, int64_t count, int64_t inner) {
  run.parallelRanges(outer * count, max<int64_t>(1, moveGrain / inner), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t o = row / count, index = indices[row % count];
      T* to = out + row * inner;
      if (index < 0 || index >= size) memset(to, 0, static_cast<size_t>(inner) * sizeof(T));
      else memcpy(to, x + (o * size + index) * inner, static_cast<size_t>(inner) * sizeof(T));
    }
  });
}

void gather(Run& run) {
  const View& x = run.input(0);
  const View& indices = run.input(1);
  const View& out = run.output(0);
  const int64_t axis = run.attributes().integer();
  if (axis < 0 || axis >= x.rank || indices.dtype != DType::i32 || x.dtype != out.dtype) fail("gather: wrong axis or dtype");
  int64_t outer = 1, inner = 1;
  for (int i = 0; i < axis; i++) outer *= x.dims[i];
  for (int i = static_cast<int>(axis) + 1; i < x.rank; i++) inner *= x.dims[i];
  if (out.size != outer * indices.size * inner) fail("gather: expected an output of %lld elements", static_cast<long long>(outer * indices.size * inner));
  if (out.size == 0) return;
  withBits(x.dtype, [&](auto* type) {
    using T = Pointee<decltype(type)>;
    if (inner == 1) gatherElements(run, x.as<T>(), indices.as<int32_t>(), out.as<T>(), outer, x.dims[axis], indices.size);
    else gatherRows(run, x.as<T>(), indices.as<int32_t>(), out.as<T>(), outer, x.dims[axis], indices.size, inner);
  });
}

/** The updates of each row in their order: those of row r are order[starts[r]] … order[starts[r + 1] − 1]. */
struct Sorted {
  int64_t* starts;
  int32_t* order;
};

Sorted sortByRow(Run& run, const int32_t* indices, int64_t count, int64_t size) {
  int64_t* starts = run.temporaryOf<int64_t>(size + 2);
  int32_t* order = run.temporaryOf<int32_t>(count);
  memset(starts, 0, static_cast<size_t>(size + 2) * sizeof(int64_t));
  // Counted two places on, so that filling moves each start to the end of its row, which is the next one's start.
  for (int64_t n = 0; n < count; n++)
    if (indices[n] >= 0 && indices[n] < size) starts[indices[n] + 2]++;
  for (int64_t row = 1; row < size + 2; row++) starts[row] += starts[row - 1];
  for (int64_t n = 0; n < count; n++)
    if (indices[n] >= 0 && indices[n] < size) order[starts[indices[n] + 1]++] = static_cast<int32_t>(n);
  return {starts, order};
}

constexpr int64_t stripe = 512;
constexpr int64_t group = 8;

/** The sum of some rows of updates, a stripe of columns. */
template <class T> void sumStripe(const T* updates, const int32_t* order, int64_t count, int64_t inner, int64_t columns, T* out) {
  const auto sum = [&](int64_t first, int64_t number, int64_t c, int n) {
    return sumOfRows(static_cast<int>(number), [&](int k) { return loadAs(updates + order[first + k] * inner + c, n); });
  };
  if (count <= group) {
    for (int64_t c = 0; c < columns; c += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, columns - c));
      storeAs(out + c, sum(0, count, c, n), n);
    }
    return;
  }
  alignas(64) double totals[stripe];
  for (int64_t c = 0; c < columns; c++) totals[c] = 0;
  for (int64_t first = 0; first < count; first += group) {
    for (int64_t c = 0; c < columns; c += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, columns - c));
      addTo(totals + c, sum(first, min(group, count - first), c, n), n);
    }
  }
  for (int64_t c = 0; c < columns; c += VW) {
    const int n = static_cast<int>(min<int64_t>(VW, columns - c));
    vf total = {};
    for (int k = 0; k < n; k++) total[k] = static_cast<float>(totals[c + k]);
    storeAs(out + c, total, n);
  }
}

template <class T> void sumIntegers(const T* updates, const int32_t* order, int64_t count, int64_t inner, int64_t columns, T* out) {
  for (int64_t c = 0; c < columns; c++) {
    uint32_t total = 0;
    for (int64_t k = 0; k < count; k++) total += static_cast<uint32_t>(updates[order[k] * inner + c]);
    out[c] = static_cast<T>(total);
  }
}

template <class T> void scatterRows(Run& run, const int32_t* indices, int64_t count, const T* updates, T* out, int64_t size, int64_t inner) {
  const Sorted sorted = sortByRow(run, indices, count, size);
  const int64_t stripes = ceilDiv(inner, stripe);
  // Tiles of rows that hold some moveGrain elements of updates on average.
  const int64_t perRow = (count / size + 1) * min(inner, stripe);
  const int64_t rowsPerTile = max<int64_t>(1, moveGrain / perRow);
  const int64_t tiles = ceilDiv(size, rowsPerTile);
  run.parallelRanges(tiles * stripes, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t tile = begin; tile < end; tile++) {
      const int64_t from = tile % stripes * stripe, columns = min(stripe, inner - from);
      const int64_t firstRow = tile / stripes * rowsPerTile, lastRow = min(size, firstRow + rowsPerTile);
      for (int64_t row = firstRow; row < lastRow; row++) {
        T* to = out + row * inner + from;
        const int64_t start = sorted.starts[row], number = sorted.starts[row + 1] - start;
        if (number == 0) memset(to, 0, static_cast<size_t>(columns) * sizeof(T));
        else if constexpr (isSame<typename Computed<T>::Type, float>) sumStripe(updates + from, sorted.order + start, number, inner, columns, to);
        else sumIntegers(updates + from, sorted.order + start, number, inner, columns, to);
      }
    }
  });
}

void scatterAdd(Run& run) {
  const View& indices = run.input(0);
  const View& updates = run.input(1);
  const View& out = run.output(0);
  if (indices.dtype != DType::i32 || updates.dtype != out.dtype || updates.rank < 1 || out.rank != updates.rank || updates.dims[0] != indices.size) fail("scatterAdd: expected one index a row");
  if (indices.size > INT32_MAX) fail("scatterAdd: expected below 2^31 updates");
  if (out.size == 0) return;
  const int64_t size = out.dims[0], inner = out.size / size;
  if (updates.size != indices.size * inner) fail("scatterAdd: expected rows of %lld elements", static_cast<long long>(inner));
  withType(out.dtype, [&](auto* type) {
    using T = Pointee<decltype(type)>;
    scatterRows(run, indices.as<int32_t>(), indices.size, updates.as<T>(), out.as<T>(), size, inner);
  });
}

WEFT_KERNEL("gather", gather)
WEFT_KERNEL("scatterAdd", scatterAdd)

}  // namespace
}  // namespace weft::WEFT_ISA
