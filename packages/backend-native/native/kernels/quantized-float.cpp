// What reads a quantized weight as float32: its rows, rows by ids, and products in float32, whose panels are unpacked while they are packed.
#include "gemm.h"
#include "quantized-float.h"
#include "quantized-values.h"

namespace weft::WEFT_ISA {
namespace {

const QuantizedMatrix& matrixOf(const void* context) { return *static_cast<const QuantizedMatrix*>(context); }

int64_t rowsAtOnce(const QuantizedMatrix& matrix) { return groupRows * (1 + (1 << 14) / (matrix.width * groupRows + 1)); }

void dequantize(Run& run) {
  Attributes attributes = run.attributes();
  const QuantizedMatrix matrix = quantizedMatrix(run, run.input(0), attributes);
  const int64_t start = attributes.integer();
  const int64_t count = attributes.integer();
  const View& out = run.output(0);
  if (start < 0 || count < 0 || start > matrix.rows - count || out.dtype != DType::f32 || out.size != count * matrix.width) fail("dequantize: no such rows");
  run.parallelRanges(count, rowsAtOnce(matrix), [&](int64_t begin, int64_t end, int) {
    valuesByRow(matrix, start + begin, start + end, 0, matrix.width, out.as<float>() + begin * matrix.width, matrix.width);
  });
}
WEFT_KERNEL("dequantize", dequantize)

void quantizedEmbedding(Run& run) {
  Attributes attributes = run.attributes();
  const QuantizedMatrix table = quantizedMatrix(run, run.input(0), attributes);
  const View& ids = run.input(1);
  const View& out = run.output(0);
  if (ids.dtype != DType::i32 || out.dtype != DType::f32 || out.size != ids.size * table.width) fail("quantizedEmbedding: expected i32 ids and f32 rows of %lld", static_cast<long long>(table.width));
  run.parallelRanges(ids.size, 1 + (1 << 13) / (table.width + 1), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t id = ids.as<int32_t>()[i];
      float* row = out.as<float>() + i * table.width;
      if (id < 0 || id >= table.rows) memset(row, 0, static_cast<size_t>(table.width) * 4);
      else valuesByRow(table, id, id + 1, 0, table.width, row, table.width);
    }
  });
}
WEFT_KERNEL("quantizedEmbedding", quantizedEmbedding)

void unpackForward(const void* context, int64_t k0, int64_t k1, int64_t n0, int64_t n1, float* panel, int64_t stride) { valuesByColumn(matrixOf(context), k0, k1, n0, n1, panel, stride); }

void unpackBackward(const void* context, int64_t k0, int64_t k1, int64_t n0, int64_t n1, float* panel, int64_t stride) { valuesByRow(matrixOf(context), k0, k1, n0, n1, panel, stride); }

/** out [m, n] = x [m, k] · what `source` unpacks. */
void product(Run& run, const View& x, const View& out, int64_t n, int64_t k, const PanelSource& source) {
  Gemm call{.m = x.size / max<int64_t>(k, 1), .n = n, .k = k, .a = {x.data, x.dtype, k, 1}, .b = {}, .source = &source};
  call.c = out.data;
  call.cType = out.dtype;
  call.cStride = n;
  if (n > 0) call.m = out.size / n;
  gemm(run, call);
}

void quantizedMatMulBackward(Run& run) {
  Attributes attributes = run.attributes();
  const QuantizedMatrix matrix = quantizedMatrix(run, run.input(0), attributes);
  const View& gradient = run.input(1);
  const View& out = run.output(0);
  if (gradient.last() != matrix.rows || out.last() != matrix.width || out.rows() != gradient.rows()) fail("quantizedMatMulBackward: the sizes do not fit");
  product(run, gradient, out, matrix.width, matrix.rows, {unpackBackward, &matrix});
}
WEFT_KERNEL("quantizedMatMulBackward", quantizedMatMulBackward)

}  // namespace

void quantizedProductInFloat(Run& run, const View& x, const QuantizedMatrix& matrix, const View& out) {
  product(run, x, out, matrix.rows, matrix.width, {unpackForward, &matrix});
}

}  // namespace weft::WEFT_ISA
