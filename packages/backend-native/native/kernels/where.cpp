// where: a or b by the bytes of a condition, all three broadcasting. Values move as bits.
#include "pieces.h"

namespace weft::WEFT_ISA {
namespace {

template <class T> void choose(Source<uint8_t> condition, Source<T> a, Source<T> b, T* __restrict out, int64_t n) {
  if (condition.isScalar) {
    const Source<T> chosen = *condition.values != 0 ? a : b;
    if (chosen.isScalar)
      for (int64_t i = 0; i < n; i++) out[i] = *chosen.values;
    else memcpy(out, chosen.values, static_cast<size_t>(n) * sizeof(T));
    return;
  }
  const uint8_t* c = condition.values;
  const T fixedA = *a.values, fixedB = *b.values;
  if (a.isScalar && b.isScalar)
    for (int64_t i = 0; i < n; i++) out[i] = c[i] != 0 ? fixedA : fixedB;
  else if (a.isScalar)
    for (int64_t i = 0; i < n; i++) out[i] = c[i] != 0 ? fixedA : b.values[i];
  else if (b.isScalar)
    for (int64_t i = 0; i < n; i++) out[i] = c[i] != 0 ? a.values[i] : fixedB;
  else
    for (int64_t i = 0; i < n; i++) out[i] = c[i] != 0 ? a.values[i] : b.values[i];
}

template <class T> struct Stages {
  Stage<uint8_t> condition;
  Stage<T> a, b;
};

template <class T> void whereOf(Run& run) {
  const View& condition = run.input(0);
  const View& a = run.input(1);
  const View& b = run.input(2);
  const View& out = run.output(0);
  const View* const inputs[] = {&condition, &a, &b};
  const Pieces<3> pieces(inputs, out, "where", false);
  pieces.template forEach<Stages<T>>(run, 1 << 15, [&](const auto& piece, Stages<T>& stages) {
    choose(sourceOf(pieces, 0, piece, condition.as<uint8_t>(), stages.condition), sourceOf(pieces, 1, piece, a.as<T>(), stages.a), sourceOf(pieces, 2, piece, b.as<T>(), stages.b), out.as<T>() + piece.start,
           piece.length);
  });
}

void where(Run& run) {
  const DType dtype = run.output(0).dtype;
  if (run.input(0).dtype != DType::u8 || run.input(1).dtype != dtype || run.input(2).dtype != dtype) fail("where: expected a u8 condition and values of one dtype");
  withBits(dtype, [&](auto* type) { whereOf<Pointee<decltype(type)>>(run); });
}

WEFT_KERNEL("where", where)

}  // namespace
}  // namespace weft::WEFT_ISA
