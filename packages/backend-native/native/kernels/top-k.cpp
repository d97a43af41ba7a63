// topK: the k ≤ 64 largest elements of each row, the largest first, ties by their place. One pass that compares with the smallest of
// the k found so far; what passes is sorted in. A row with NaN gives NaN and the row's length k times over, as the decomposition does.
#include "row-search.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t grain = 1 << 14;
constexpr int maxK = 64;

struct Best {
  float values[maxK];
  int32_t places[maxK];
  int count = 0;

  /** Places come in rising order: an equal value goes behind those that are there. */
  WEFT_INLINE void insert(int k, float value, int32_t place) {
    int at = count < k ? count++ : k - 1;
    for (; at > 0 && values[at - 1] < value; at--) {
      values[at] = values[at - 1];
      places[at] = places[at - 1];
    }
    values[at] = value;
    places[at] = place;
  }
};

/** False where the row has NaN. */
template <class T> bool findBest(const T* x, int64_t n, int k, Best& best) {
  int64_t i = 0;
  vi odd = {};
  for (; best.count < k; i++) {
    const vf v = loadAs(x + i, 1);
    odd |= v != v;
    best.insert(k, v[0], static_cast<int32_t>(i));
  }
  for (; i < n; i += VW) {
    const int count = static_cast<int>(min<int64_t>(VW, n - i));
    const vf v = loadAs(x + i, count);
    odd |= v != v;
    if (!anyOf(v > splat(best.values[k - 1]))) continue;  // lanes that do not exist hold 0 and are not looked at below
    for (int lane = 0; lane < count; lane++)
      if (v[lane] > best.values[k - 1]) best.insert(k, v[lane], static_cast<int32_t>(i + lane));
  }
  return !anyOf(odd);
}

template <class T> void topKOf(Run& run, int64_t rows, int64_t columns, int k) {
  const T* x = run.input(0).as<T>();
  T* values = run.output(0).as<T>();
  auto* indices = run.output(1).as<int32_t>();
  run.parallelRanges(rows, max<int64_t>(1, grain / columns), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; row++) {
      Best best;
      if (!findBest(x + row * columns, columns, k, best)) {
        for (int i = 0; i < k; i++) {
          best.values[i] = __builtin_nanf("");
          best.places[i] = static_cast<int32_t>(columns);
        }
      }
      convertRow(values + row * k, best.values, k);
      memcpy(indices + row * k, best.places, static_cast<size_t>(k) * sizeof(int32_t));
    }
  });
}

void topK(Run& run) {
  const View& x = run.input(0);
  const View& values = run.output(0);
  const View& indices = run.output(1);
  const int64_t k = run.attributes().integer();
  if (x.rank != 2 || k < 1 || k > maxK || k > x.dims[1] || x.dims[1] > INT32_MAX) fail("topK: expected k in 1 … %d and no more than there are columns", maxK);
  if (values.size != x.dims[0] * k || indices.size != values.size || values.dtype != x.dtype || indices.dtype != DType::i32) fail("topK: expected outputs [N, k]");
  withFloatType(x.dtype, "topK", [&](auto* type) { topKOf<Pointee<decltype(type)>>(run, x.dims[0], x.dims[1], static_cast<int>(k)); });
}

WEFT_KERNEL("topK", topK)

}  // namespace
}  // namespace weft::WEFT_ISA
