// The primitive matMul: batches of matrices, leading axes broadcast, either side transposed.
#include "gemm.h"

namespace weft::WEFT_ISA {
namespace {

struct Sizes {
  int64_t rows, columns;
};

Sizes lastTwo(const View& view) { return {view.dims[view.rank - 2], view.dims[view.rank - 1]}; }

/** How far apart the matrices of an operand lie along each axis of the output's batch; 0 where it is broadcast. */
void batchStrides(const View& view, const View& out, int64_t strides[maxRank]) {
  const int missing = out.rank - view.rank;
  if (missing < 0) fail("matMul: an input has more axes than the output");
  int64_t stride = lastTwo(view).rows * lastTwo(view).columns;
  for (int axis = out.rank - 3; axis >= 0; axis--) {
    const int64_t dim = axis < missing ? 1 : view.dims[axis - missing];
    if (dim != 1 && dim != out.dims[axis]) fail("matMul: axis %d does not broadcast", axis);
    strides[axis] = dim == 1 ? 0 : stride;
    stride *= dim;
  }
}

MatrixRef matrixOf(const View& view, bool isTransposed) {
  const int64_t columns = lastTwo(view).columns;
  return {view.data, view.dtype, isTransposed ? 1 : columns, isTransposed ? columns : 1};
}

/** The i-th matrix of a batch as it lies in memory, in elements from the start. */
int64_t placeOf(int64_t i, const View& out, const int64_t strides[maxRank]) {
  int64_t place = 0;
  for (int axis = out.rank - 3; axis >= 0; axis--) {
    place += i % out.dims[axis] * strides[axis];
    i /= out.dims[axis];
  }
  return place;
}

const void* shifted(const void* data, DType dtype, int64_t elements) { return static_cast<const char*>(data) + elements * bytesPerElement(dtype); }

void matMul(Run& run) {
  const View& a = run.input(0);
  const View& b = run.input(1);
  const View& out = run.output(0);
  Attributes attributes = run.attributes();
  const bool transposeA = attributes.flag();
  const bool transposeB = attributes.flag();
  if (a.rank < 2 || b.rank < 2 || out.rank < 2) fail("matMul: expected tensors of rank 2 or more");
  const Sizes left = transposeA ? Sizes{lastTwo(a).columns, lastTwo(a).rows} : lastTwo(a);
  const Sizes right = transposeB ? Sizes{lastTwo(b).columns, lastTwo(b).rows} : lastTwo(b);
  if (left.columns != right.rows || lastTwo(out).rows != left.rows || lastTwo(out).columns != right.columns) fail("matMul: the sizes do not fit");
  if (out.size == 0) return;
  Gemm call{.m = left.rows, .n = right.columns, .k = left.columns, .a = matrixOf(a, transposeA), .b = matrixOf(b, transposeB)};
  call.c = out.data;
  call.cType = out.dtype;
  call.cStride = right.columns;
  int64_t aStrides[maxRank], bStrides[maxRank];
  batchStrides(a, out, aStrides);
  batchStrides(b, out, bStrides);
  const int64_t count = out.size / (call.m * call.n);
  if (count == 1) return gemm(run, call);
  if (!transposeA && a.size == count * call.m * call.k && b.size == call.k * call.n) {
    call.m *= count;  // one matrix b for all: their rows are rows of one product
    return gemm(run, call);
  }
  Gemm* calls = run.temporaryOf<Gemm>(count);
  for (int64_t i = 0; i < count; i++) {
    calls[i] = call;
    calls[i].a.data = shifted(a.data, a.dtype, placeOf(i, out, aStrides));
    calls[i].b.data = shifted(b.data, b.dtype, placeOf(i, out, bStrides));
    calls[i].c = static_cast<char*>(out.data) + i * call.m * call.n * bytesPerElement(out.dtype);
  }
  gemmBatch(run, calls, count);
}

WEFT_KERNEL("matMul", matMul)

}  // namespace
}  // namespace weft::WEFT_ISA
