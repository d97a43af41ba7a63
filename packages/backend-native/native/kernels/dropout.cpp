// dropout: the mask is drawn while x is read, and again in the backward pass; it is never in memory.
#include <cmath>
#include <type_traits>

#include "philox.h"

namespace weft::WEFT_ISA {
namespace {

Philox philoxOf(Run& run, const Attributes::List& key) {
  if (key.count != 2) fail("%s: expected a key of two words", run.operation());
  return {static_cast<uint32_t>(key[0]), static_cast<uint32_t>(key[1])};
}

/** `value` as a number of type T. */
template <class T> float roundedTo(float value) {
  T stored;
  storeAs(&stored, splat(value), 1);
  return loadAs(&stored, 1)[0];
}

/** Element i is kept where its 24 bits are not below rate · 2^24. */
void dropout(Run& run) {
  const View& x = run.input(0);
  const View& out = run.output(0);
  if (out.size != x.size || out.dtype != x.dtype) fail("dropout: expected an output like x");
  Attributes attributes = run.attributes();
  const double rate = attributes.number();
  if (!(rate >= 0 && rate < 1)) fail("dropout: expected rate in [0, 1), got %g", rate);
  const Philox philox = philoxOf(run, attributes.list());
  const int32_t threshold = static_cast<int32_t>(std::floor(rate * 16777216.0 + 0.5));

  withFloatType(x.dtype, "dropout", [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const vf scale = splat(roundedTo<T>(static_cast<float>(1 / (1 - rate))));
    const T* from = x.as<T>();
    T* to = out.as<T>();
    run.parallelRanges(x.size, 1 << 15, [&](int64_t begin, int64_t end, int) {
      const auto apply = [&](int64_t i, int n, vu bits) {
        const vi isKept = (vi)(bits >> 8) >= threshold;
        storeAs(to + i, loadAs(from + i, n) * floatsOf(bitsOf(scale) & isKept), n);
      };
      vu first, second;
      int64_t i = begin;
      for (; i + philoxElements <= end; i += philoxElements) {
        philox.draw(i, first, second);
        apply(i, VW, first);
        apply(i + VW, VW, second);
      }
      if (i == end) return;
      philox.draw(i, first, second);
      apply(i, static_cast<int>(min<int64_t>(VW, end - i)), first);
      if (end - i > VW) apply(i + VW, static_cast<int>(end - i - VW), second);
    });
  });
}

/** i32 in [0, 2^24). */
void randomBits(Run& run) {
  const View& out = run.output(0);
  if (out.dtype != DType::i32) fail("randomBits: expected an output of dtype i32");
  Attributes attributes = run.attributes();
  const Philox philox = philoxOf(run, attributes.list());
  run.parallelRanges(out.size, 1 << 15, [&](int64_t begin, int64_t end, int) {
    vu first, second;
    int64_t i = begin;
    for (; i + philoxElements <= end; i += philoxElements) {
      philox.draw(i, first, second);
      storeInt(out.as<int32_t>() + i, (vi)(first >> 8));
      storeInt(out.as<int32_t>() + i + VW, (vi)(second >> 8));
    }
    if (i == end) return;
    philox.draw(i, first, second);
    const vi rest[2] = {(vi)(first >> 8), (vi)(second >> 8)};
    memcpy(out.as<int32_t>() + i, rest, static_cast<size_t>(end - i) * sizeof(int32_t));
  });
}

WEFT_KERNEL("dropout", dropout)
WEFT_KERNEL("randomBits", randomBits)

}  // namespace
}  // namespace weft::WEFT_ISA
