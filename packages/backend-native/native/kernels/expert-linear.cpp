// expertLinear: rows gathered by expert, one product an expert, outputs put where their choices stand.
#include "expert-linear.h"

namespace weft::WEFT_ISA {
namespace {

void expertLinear(Run& run) {
  const ExpertSizes sizes = expertSizes(run);
  const View& x = run.input(0);
  const View& out = run.output(0);
  requireFloats(run, out, sizes.rows * sizes.chosen * sizes.outputs, x.dtype);
  if (out.size == 0) return;
  const Choices choices = sortChoices(run, sizes);
  const int64_t taken = choices.starts[sizes.experts];
  const int64_t bytesIn = sizes.inputs * bytesPerElement(x.dtype);
  const int64_t bytesOut = sizes.outputs * bytesPerElement(out.dtype);
  char* rows = static_cast<char*>(run.temporary(taken * bytesIn));
  char* results = static_cast<char*>(run.temporary(taken * bytesOut));
  copyRows(run, x.data, rows, taken, bytesIn, [&](int64_t i) { return choices.places[i] / sizes.chosen; });
  for (int64_t expert = 0; expert < sizes.experts; expert++) {
    const int64_t first = choices.starts[expert];
    Gemm call{.m = choices.countOf(expert), .n = sizes.outputs, .k = sizes.inputs};
    call.a = {rows + first * bytesIn, x.dtype, sizes.inputs, 1};
    call.b = transposed(weightsOf(run.input(1), sizes, expert));
    call.c = results + first * bytesOut;
    call.cType = out.dtype;
    call.cStride = sizes.outputs;
    gemm(run, call);
  }
  if (taken < sizes.rows * sizes.chosen) memset(out.data, 0, static_cast<size_t>(out.size * bytesPerElement(out.dtype)));
  run.parallelRanges(taken, max<int64_t>(1, (256 << 10) / max<int64_t>(1, bytesOut)), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) memcpy(out.as<char>() + choices.places[i] * bytesOut, results + i * bytesOut, static_cast<size_t>(bytesOut));
  });
}

WEFT_KERNEL("expertLinear", expertLinear)

}  // namespace
}  // namespace weft::WEFT_ISA
