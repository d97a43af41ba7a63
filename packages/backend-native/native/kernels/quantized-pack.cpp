// packQuantized: from GGUF's rows of blocks to groups of interleaved rows, group by group, in place where the bytes are donated.
#include "quantized-format.h"

namespace weft::WEFT_ISA {
namespace {

template <int unit> void interleaveField(const BlockField& field, int64_t rowBytes, const uint8_t* block, int count, uint8_t* to) {
  for (int at = 0; at < field.bytes; at += unit)
    for (int row = 0; row < count; row++) memcpy(to + at * groupRows + row * unit, block + row * rowBytes + field.offset + at, unit);
}

/** @returns where the next field goes. */
uint8_t* interleave(const BlockField& field, int64_t rowBytes, const uint8_t* block, int count, uint8_t* to) {
  if (field.unit == 4) interleaveField<4>(field, rowBytes, block, count, to);
  else if (field.unit == 2) interleaveField<2>(field, rowBytes, block, count, to);
  else interleaveField<1>(field, rowBytes, block, count, to);
  return to + field.bytes * groupRows;
}

struct Shape {
  QuantizedFormat format;
  int64_t rows, width;
};

Shape shapeOf(Run& run, const View& packed, Attributes& attributes) {
  const int64_t format = attributes.integer();
  const Attributes::List shape = attributes.list();
  if (format < 0 || format >= quantizedFormatCount || shape.count < 1) fail("%s: expected a format and a shape", run.operation());
  const BlockLayout& layout = blockLayouts[format];
  int64_t rows = 1;
  for (int64_t axis = 0; axis + 1 < shape.count; axis++)
    if (shape[axis] < 0 || __builtin_mul_overflow(rows, shape[axis], &rows)) fail("%s: no such shape", run.operation());
  const int64_t width = shape[shape.count - 1];
  int64_t bytes;
  if (width < 0 || width % layout.values != 0 || __builtin_mul_overflow(rows, width / layout.values * layout.bytes, &bytes) || packed.dtype != DType::u8 || packed.size != bytes) {
    fail("%s: the bytes do not fit the format and the shape", run.operation());
  }
  return {static_cast<QuantizedFormat>(format), rows, width};
}

void packQuantized(Run& run) {
  const View& packed = run.input(0);
  Attributes attributes = run.attributes();
  const Shape shape = shapeOf(run, packed, attributes);
  const QuantizedMatrix matrix{shape.format, shape.rows, shape.width, packed.as<uint8_t>(), nullptr};
  uint8_t* out = run.output(0).as<uint8_t>();
  if (run.output(0).size != packed.size) fail("packQuantized: expected an output of the size of its input");
  if (packed.size == 0) return;
  const int64_t groupBytes = matrix.rowBytes() * groupRows;
  const int64_t whole = matrix.rows / groupRows;
  run.parallelRanges(whole, 1 + (1 << 16) / (groupBytes + 1), [&](int64_t begin, int64_t end, int worker) {
    uint8_t* rows = run.scratchOf<uint8_t>(worker, 0, groupBytes);
    for (int64_t group = begin; group < end; group++) {
      memcpy(rows, matrix.data + group * groupBytes, static_cast<size_t>(groupBytes));
      interleaveRows(matrix.layout(), matrix.blocks(), rows, groupRows, out + group * groupBytes);
    }
  });
  if (out != matrix.data) memcpy(out + whole * groupBytes, matrix.data + whole * groupBytes, static_cast<size_t>(packed.size - whole * groupBytes));
}
WEFT_KERNEL("packQuantized", packQuantized)

}  // namespace

void interleaveRows(const BlockLayout& layout, int64_t blocks, const uint8_t* rows, int count, uint8_t* to) {
  const int64_t rowBytes = blocks * layout.bytes;
  if (count < groupRows) memset(to, 0, static_cast<size_t>(rowBytes * groupRows));
  uint8_t* scales = to + blocks * layout.quantBytes() * groupRows;
  for (int64_t block = 0; block < blocks; block++, rows += layout.bytes) {
    for (const BlockField& field : layout.quants) to = interleave(field, rowBytes, rows, count, to);
    for (const BlockField& field : layout.scales) scales = interleave(field, rowBytes, rows, count, scales);
  }
}

QuantizedMatrix quantizedMatrix(Run& run, const View& packed, Attributes& attributes) {
  const Shape shape = shapeOf(run, packed, attributes);
  QuantizedMatrix matrix{shape.format, shape.rows, shape.width, packed.as<uint8_t>(), nullptr};
  const int64_t whole = matrix.rows / groupRows * groupRows;
  if (whole == matrix.rows) return matrix;
  uint8_t* tail = run.temporaryOf<uint8_t>(matrix.rowBytes() * groupRows);
  interleaveRows(matrix.layout(), matrix.blocks(), matrix.data + whole * matrix.rowBytes(), static_cast<int>(matrix.rows - whole), tail);
  matrix.tail = tail;
  return matrix;
}

}  // namespace weft::WEFT_ISA
