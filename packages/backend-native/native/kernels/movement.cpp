// permute, broadcastTo, slice, pad, concat: bits move, values do not change.
#include "strided-copy.h"

namespace weft::WEFT_ISA {
namespace {

void stepsOf(const View& x, int64_t (&steps)[maxRank]) {
  int64_t step = 1;
  for (int axis = x.rank - 1; axis >= 0; axis--) {
    steps[axis] = step;
    step *= x.dims[axis];
  }
}

void copyWalk(Run& run, const Walk<1>& walk, int64_t offset) {
  const View& x = run.input(0);
  const View& out = run.output(0);
  if (x.dtype != out.dtype) fail("%s: dtypes differ", run.operation());
  withBits(x.dtype, [&](auto* type) {
    using T = Pointee<decltype(type)>;
    copyStrided(run, walk, x.as<T>() + offset, out.as<T>(), out.size);
  });
}

void permute(Run& run) {
  const View& x = run.input(0);
  const View& out = run.output(0);
  const Attributes::List axes = run.attributes().list();
  if (axes.count != x.rank || out.rank != x.rank) fail("permute: expected %d axes", x.rank);
  int64_t steps[maxRank];
  stepsOf(x, steps);
  Walk<1> walk;
  unsigned seen = 0;
  for (int i = 0; i < x.rank; i++) {
    const int64_t axis = axes[i];
    if (axis < 0 || axis >= x.rank || (seen >> axis & 1) != 0 || out.dims[i] != x.dims[axis]) fail("permute: axes are no permutation");
    seen |= 1u << axis;
    walk.add(out.dims[i], {steps[axis]});
  }
  walk.finish();
  copyWalk(run, walk, 0);
}

void broadcastTo(Run& run) {
  const View* const inputs[] = {&run.input(0)};
  copyWalk(run, broadcastWalk<1>(inputs, run.output(0), "broadcastTo"), 0);
}

void slice(Run& run) {
  const View& x = run.input(0);
  const View& out = run.output(0);
  const Attributes::List starts = run.attributes().list();
  if (starts.count != x.rank || out.rank != x.rank) fail("slice: expected %d starts", x.rank);
  int64_t steps[maxRank];
  stepsOf(x, steps);
  Walk<1> walk;
  int64_t offset = 0;
  for (int axis = 0; axis < x.rank; axis++) {
    if (starts[axis] < 0 || starts[axis] + out.dims[axis] > x.dims[axis]) fail("slice: it does not lie in the input");
    offset += starts[axis] * steps[axis];
    walk.add(out.dims[axis], {steps[axis]});
  }
  walk.finish();
  if (out.size > 0) copyWalk(run, walk, offset);
}

/** Axes of a padded array; an axis without padding is joined to the one before it. */
struct Padding {
  int rank = 0;
  int64_t sizes[maxRank], before[maxRank], padded[maxRank];
};

template <class T> void padRows(Run& run, const Padding& pad, const T* x, T* out, T value) {
  const int last = pad.rank - 1;
  int64_t rows = 1;
  for (int axis = 0; axis < last; axis++) rows *= pad.padded[axis];
  const int64_t width = pad.padded[last];
  run.parallelRanges(rows, max<int64_t>(1, copyGrain / width), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; row++) {
      T* to = out + row * width;
      int64_t rest = row, source = 0, stride = 1;
      bool isInside = true;
      for (int axis = last - 1; axis >= 0 && isInside; axis--) {
        const int64_t index = rest % pad.padded[axis] - pad.before[axis];
        rest /= pad.padded[axis];
        isInside = index >= 0 && index < pad.sizes[axis];
        source += index * stride;
        stride *= pad.sizes[axis];
      }
      const int64_t size = isInside ? pad.sizes[last] : 0, left = isInside ? pad.before[last] : width;
      copyRow(to, &value, 0, left);
      if (size > 0) copyRow(to + left, x + source * pad.sizes[last], 1, size);
      copyRow(to + left + size, &value, 0, width - left - size);
    }
  });
}

void pad(Run& run) {
  const View& x = run.input(0);
  const View& out = run.output(0);
  Attributes attributes = run.attributes();
  const Attributes::List before = attributes.list();
  const double value = attributes.number();
  if (before.count != x.rank || out.rank != x.rank || x.dtype != out.dtype) fail("pad: expected %d widths", x.rank);
  if (out.size == 0) return;
  Padding padding;
  for (int axis = 0; axis < x.rank; axis++) {
    const int64_t size = x.dims[axis], padded = out.dims[axis];
    if (before[axis] < 0 || before[axis] + size > padded) fail("pad: the input does not lie in the output");
    if (padding.rank > 0 && size == padded) {
      padding.sizes[padding.rank - 1] *= size;
      padding.before[padding.rank - 1] *= size;
      padding.padded[padding.rank - 1] *= size;
      continue;
    }
    padding.sizes[padding.rank] = size;
    padding.before[padding.rank] = before[axis];
    padding.padded[padding.rank++] = padded;
  }
  if (padding.rank == 0) {
    padding.rank = 1;
    padding.sizes[0] = padding.padded[0] = 1;
    padding.before[0] = 0;
  }
  withBits(x.dtype, [&](auto* type) {
    using T = Pointee<decltype(type)>;
    padRows(run, padding, x.as<T>(), out.as<T>(), static_cast<T>(storedBits(x.dtype, value)));
  });
}

void concat(Run& run) {
  const View& out = run.output(0);
  const int64_t axis = run.attributes().integer();
  if (axis < 0 || axis >= out.rank) fail("concat: axis %lld of %d", static_cast<long long>(axis), out.rank);
  int64_t outer = 1, inner = 1, total = 0;
  for (int i = 0; i < axis; i++) outer *= out.dims[i];
  for (int i = static_cast<int>(axis) + 1; i < out.rank; i++) inner *= out.dims[i];
  const int parts = run.count(0);
  for (int part = 0; part < parts; part++) {
    const View& x = run.input(0, part);
    if (x.dtype != out.dtype || x.rank != out.rank || x.size != outer * inner * x.dims[axis]) fail("concat: part %d has another shape or dtype", part);
    total += x.dims[axis];
  }
  if (total != out.dims[axis]) fail("concat: the parts have %lld places, expected %lld", static_cast<long long>(total), static_cast<long long>(out.dims[axis]));
  int64_t start = 0;
  for (int part = 0; part < parts; part++) {
    const View& x = run.input(0, part);
    const int64_t width = x.dims[axis] * inner;
    withBits(x.dtype, [&](auto* type) {
      using T = Pointee<decltype(type)>;
      const T* from = x.as<T>();
      T* to = out.as<T>() + start * inner;
      // Pieces of elements, not of rows: one long row goes to all threads too.
      run.parallelRanges(x.size, copyGrain, [&](int64_t begin, int64_t end, int) {
        for (int64_t at = begin; at < end;) {
          const int64_t row = at / width, column = at % width, count = min(end - at, width - column);
          copyRow(to + row * total * inner + column, from + at, 1, count);
          at += count;
        }
      });
    });
    start += x.dims[axis];
  }
}

WEFT_KERNEL("permute", permute)
WEFT_KERNEL("broadcastTo", broadcastTo)
WEFT_KERNEL("slice", slice)
WEFT_KERNEL("pad", pad)
WEFT_KERNEL("concat", concat)

}  // namespace
}  // namespace weft::WEFT_ISA
