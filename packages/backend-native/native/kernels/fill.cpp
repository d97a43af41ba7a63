// fill and iota: tensors made from nothing.
#include "elements.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t grain = 1 << 15;

template <class T> void fillWith(Run& run, T value) {
  T* out = run.output(0).as<T>();
  run.parallelRanges(run.output(0).size, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) out[i] = value;
  });
}

void fill(Run& run) {
  const View& out = run.output(0);
  const uint32_t bits = storedBits(out.dtype, run.attributes().number());
  withBits(out.dtype, [&](auto* type) { fillWith(run, static_cast<Pointee<decltype(type)>>(bits)); });
}

template <class T, class F> void countUp(Run& run, const F& convert) {
  T* out = run.output(0).as<T>();
  run.parallelRanges(run.output(0).size, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) out[i] = convert(i);
  });
}

void iota(Run& run) {
  switch (run.output(0).dtype) {
    case DType::f32: return countUp<float>(run, [](int64_t i) { return static_cast<float>(i); });
    case DType::i32: return countUp<int32_t>(run, [](int64_t i) { return static_cast<int32_t>(i); });
    case DType::u8: return countUp<uint8_t>(run, [](int64_t i) { return static_cast<uint8_t>(i); });
    case DType::bf16: return countUp<uint16_t>(run, [](int64_t i) { return narrowBf16(static_cast<float>(i)); });
    case DType::f16: return countUp<uint16_t>(run, [](int64_t i) { return narrowF16(static_cast<float>(i)); });
  }
}

WEFT_KERNEL("fill", fill)
WEFT_KERNEL("iota", iota)

}  // namespace
}  // namespace weft::WEFT_ISA
