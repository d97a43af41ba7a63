// fill and iota: tensors made from nothing.
#include "isa.h"

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
  const double value = run.attributes().number();
  switch (run.output(0).dtype) {
    case DType::f32: return fillWith<float>(run, static_cast<float>(value));
    case DType::i32: return fillWith<int32_t>(run, static_cast<int32_t>(value));
    case DType::u8: return fillWith<uint8_t>(run, static_cast<uint8_t>(static_cast<int32_t>(value)));
    case DType::bf16: return fillWith<uint16_t>(run, narrowBf16(static_cast<float>(value)));
    case DType::f16: return fillWith<uint16_t>(run, narrowF16(static_cast<float>(value)));
  }
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
