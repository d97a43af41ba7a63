// accumulator + x, in place where the accumulator was given away. Gradients of any float dtype gather in f32.
#include <type_traits>

#include "optimizer-lists.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t grain = 1 << 15;

template <class A, class X> void addAs(Run& run) {
  const A* accumulator = static_cast<const A*>(run.input(0).data);
  const X* x = static_cast<const X*>(run.input(1).data);
  A* sum = static_cast<A*>(run.output(0).data);
  run.parallelRanges(run.output(0).size, grain, [&](int64_t begin, int64_t end, int) {
    overVectors(end - begin, [&](int64_t i, int n) { storeAs(sum + begin + i, loadAs(accumulator + begin + i, n) + loadAs(x + begin + i, n), n); });
  });
}

void addInto(Run& run) {
  const View& accumulator = run.input(0);
  const View& sum = run.output(0);
  if (accumulator.size != sum.size || run.input(1).size != sum.size || accumulator.dtype != sum.dtype) fail("addInto: accumulator, x and sum do not fit");
  withFloatType(sum.dtype, "addInto", [&](auto* a) {
    withFloatType(run.input(1).dtype, "addInto", [&](auto* x) { addAs<std::remove_pointer_t<decltype(a)>, std::remove_pointer_t<decltype(x)>>(run); });
  });
}

WEFT_KERNEL("addInto", addInto)

}  // namespace
}  // namespace weft::WEFT_ISA
