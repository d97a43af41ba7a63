// cast: between any two dtypes. Floats become integers by truncation, then modulo their range, as JavaScript's typed arrays do it.
#include "elements.h"

namespace weft::WEFT_ISA {
namespace {

void cast(Run& run) {
  const View& x = run.input(0);
  const View& out = run.output(0);
  if (x.size != out.size) fail("cast: expected an output of the input's size");
  withType(x.dtype, [&](auto* fromType) {
    withType(out.dtype, [&](auto* toType) {
      const auto* from = x.as<Pointee<decltype(fromType)>>();
      auto* to = out.as<Pointee<decltype(toType)>>();
      run.parallelRanges(out.size, 1 << 15, [&](int64_t begin, int64_t end, int) { convertRow(to + begin, from + begin, end - begin); });
    });
  });
}

WEFT_KERNEL("cast", cast)

}  // namespace
}  // namespace weft::WEFT_ISA
