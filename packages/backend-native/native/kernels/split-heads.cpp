// A joint projection [rows, (H + 2 K) · Dh] into query, key and value heads, and their gradients back into one.
#include "isa.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t bytesPerTile = 1 << 17;

/** Copies rows between one wide array and three narrow ones that make it up. */
template <bool intoParts> void copyRows(Run& run, const View& wide, const View* const (&parts)[3]) {
  const int64_t width = bytesPerElement(wide.dtype);
  const int64_t rowBytes = wide.last() * width;
  int64_t partBytes[3], total = 0;
  for (int i = 0; i < 3; i++) {
    const View& part = *parts[i];
    if (part.rank != 4 || part.dtype != wide.dtype) fail("%s: expected heads [B, T, H, Dh] of one dtype", run.operation());
    partBytes[i] = part.dims[2] * part.dims[3] * width;
    total += partBytes[i];
    if (part.dims[0] != wide.dims[0] || part.dims[1] != wide.dims[1]) fail("%s: batch and tokens do not fit", run.operation());
  }
  if (total != rowBytes) fail("%s: the heads do not fill the joint rows", run.operation());
  const int64_t rows = wide.rank == 3 ? wide.dims[0] * wide.dims[1] : 0;
  run.parallelRanges(rows, max<int64_t>(1, bytesPerTile / max<int64_t>(1, rowBytes)), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; row++) {
      char* joint = wide.as<char>() + row * rowBytes;
      for (int i = 0; i < 3; joint += partBytes[i], i++) {
        char* part = parts[i]->as<char>() + row * partBytes[i];
        if (intoParts) memcpy(part, joint, partBytes[i]);
        else memcpy(joint, part, partBytes[i]);
      }
    }
  });
}

void splitHeads(Run& run) {
  if (run.input(0).rank != 3) fail("splitHeads: expected qkv [B, T, width]");
  copyRows<true>(run, run.input(0), {&run.output(0), &run.output(1), &run.output(2)});
}

void splitHeadsBackward(Run& run) {
  if (run.output(0).rank != 3) fail("splitHeadsBackward: expected an output [B, T, width]");
  copyRows<false>(run, run.output(0), {&run.input(0), &run.input(1), &run.input(2)});
}

WEFT_KERNEL("splitHeads", splitHeads)
WEFT_KERNEL("splitHeadsBackward", splitHeadsBackward)

}  // namespace
}  // namespace weft::WEFT_ISA
