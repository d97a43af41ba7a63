// binary: two inputs that broadcast. Floats go through f32 and integers through i32, modulo 2^32 (u8: 2^8); lt and eq give bytes.
// max and min let NaN win on either side.
#include "pieces.h"
#include "vector-math.h"

namespace weft::WEFT_ISA {
namespace {

// In the order of src/operations/primitives.ts.
enum BinaryOp { opAdd, opSub, opMul, opDiv, opMax, opMin, opPow, opLt, opEq, opCount };

struct Add { static WEFT_INLINE vf apply(vf a, vf b) { return a + b; } };
struct Sub { static WEFT_INLINE vf apply(vf a, vf b) { return a - b; } };
struct Mul { static WEFT_INLINE vf apply(vf a, vf b) { return a * b; } };
struct Div { static WEFT_INLINE vf apply(vf a, vf b) { return a / b; } };
struct Max { static WEFT_INLINE vf apply(vf a, vf b) { return select((a > b) | (a != a), a, b); } };
struct Min { static WEFT_INLINE vf apply(vf a, vf b) { return select((a < b) | (a != a), a, b); } };
struct Pow { static WEFT_INLINE vf apply(vf a, vf b) { return vpow(a, b); } };
struct Lt { static WEFT_INLINE vi apply(vf a, vf b) { return a < b; } };
struct Eq { static WEFT_INLINE vi apply(vf a, vf b) { return a == b; } };

WEFT_INLINE void put(float* out, vf x, int n) { storeAs(out, x, n); }
WEFT_INLINE void put(uint8_t* out, vi mask, int n) {
  const vb bytes = narrowTo8((vu)(mask & 1));
  if (n == VW) *reinterpret_cast<vbUnaligned*>(out) = bytes;
  else
    for (int i = 0; i < n; i++) out[i] = bytes[i];
}

template <class Op, class Out, bool scalarA, bool scalarB> void floatRow(const float* a, const float* b, Out* out, int64_t n) {
  const vf fixedA = scalarA ? splat(*a) : vf{}, fixedB = scalarB ? splat(*b) : vf{};
  int64_t i = 0;
  for (; i + VW <= n; i += VW) put(out + i, Op::apply(scalarA ? fixedA : load(a + i), scalarB ? fixedB : load(b + i)), VW);
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    put(out + i, Op::apply(scalarA ? fixedA : loadPart(a + i, rest), scalarB ? fixedB : loadPart(b + i, rest)), rest);
  }
}

template <class Op, class Out> void floatOp(Source<float> a, Source<float> b, void* out, int64_t n) {
  Out* to = static_cast<Out*>(out);
  if (a.isScalar && b.isScalar) floatRow<Op, Out, true, true>(a.values, b.values, to, n);
  else if (a.isScalar) floatRow<Op, Out, true, false>(a.values, b.values, to, n);
  else if (b.isScalar) floatRow<Op, Out, false, true>(a.values, b.values, to, n);
  else floatRow<Op, Out, false, false>(a.values, b.values, to, n);
}

template <class Out, class F> WEFT_INLINE void integerRow(Source<int32_t> a, Source<int32_t> b, void* out, int64_t n, const F& f) {
  Out* to = static_cast<Out*>(out);
  if (b.isScalar) {
    const int32_t fixed = *b.values;
    if (a.isScalar)
      for (int64_t i = 0; i < n; i++) to[i] = static_cast<Out>(f(*a.values, fixed));
    else
      for (int64_t i = 0; i < n; i++) to[i] = static_cast<Out>(f(a.values[i], fixed));
  } else if (a.isScalar) {
    const int32_t fixed = *a.values;
    for (int64_t i = 0; i < n; i++) to[i] = static_cast<Out>(f(fixed, b.values[i]));
  } else {
    for (int64_t i = 0; i < n; i++) to[i] = static_cast<Out>(f(a.values[i], b.values[i]));
  }
}

WEFT_INLINE int32_t quotient(int32_t a, int32_t b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<int32_t>(0u - static_cast<uint32_t>(a));
  return a / b;
}

void integerOp(BinaryOp op, Source<int32_t> a, Source<int32_t> b, void* out, int64_t n) {
  switch (op) {
    case opAdd: return integerRow<int32_t>(a, b, out, n, [](uint32_t x, uint32_t y) { return x + y; });
    case opSub: return integerRow<int32_t>(a, b, out, n, [](uint32_t x, uint32_t y) { return x - y; });
    case opMul: return integerRow<int32_t>(a, b, out, n, [](uint32_t x, uint32_t y) { return x * y; });
    case opDiv: return integerRow<int32_t>(a, b, out, n, quotient);
    case opMax: return integerRow<int32_t>(a, b, out, n, [](int32_t x, int32_t y) { return x > y ? x : y; });
    case opMin: return integerRow<int32_t>(a, b, out, n, [](int32_t x, int32_t y) { return x < y ? x : y; });
    case opPow: return integerRow<int32_t>(a, b, out, n, [](int32_t x, int32_t y) { return wrapToInt(::pow(static_cast<double>(x), static_cast<double>(y))); });
    case opLt: return integerRow<uint8_t>(a, b, out, n, [](int32_t x, int32_t y) { return x < y; });
    default: return integerRow<uint8_t>(a, b, out, n, [](int32_t x, int32_t y) { return x == y; });
  }
}

void compute(BinaryOp op, Source<int32_t> a, Source<int32_t> b, void* out, int64_t n) { integerOp(op, a, b, out, n); }
void compute(BinaryOp op, Source<float> a, Source<float> b, void* out, int64_t n) {
  switch (op) {
    case opAdd: return floatOp<Add, float>(a, b, out, n);
    case opSub: return floatOp<Sub, float>(a, b, out, n);
    case opMul: return floatOp<Mul, float>(a, b, out, n);
    case opDiv: return floatOp<Div, float>(a, b, out, n);
    case opMax: return floatOp<Max, float>(a, b, out, n);
    case opMin: return floatOp<Min, float>(a, b, out, n);
    case opPow: return floatOp<Pow, float>(a, b, out, n);
    case opLt: return floatOp<Lt, uint8_t>(a, b, out, n);
    default: return floatOp<Eq, uint8_t>(a, b, out, n);
  }
}

template <class C> struct Stages {
  Stage<C> a, b, out;
};

template <class T> void binaryOf(Run& run, BinaryOp op) {
  using C = typename Computed<T>::Type;
  constexpr bool isStaged = !isSame<C, T>;
  const View& left = run.input(0);
  const View& right = run.input(1);
  const View& out = run.output(0);
  const View* const inputs[] = {&left, &right};
  const Pieces<2> pieces(inputs, out, "binary", isStaged);
  const bool givesBytes = op == opLt || op == opEq;
  const int64_t grain = op == opPow ? 1 << 12 : 1 << 15;
  pieces.template forEach<Stages<C>>(run, grain, [&](const auto& piece, Stages<C>& stages) {
    const Source<C> a = sourceOf(pieces, 0, piece, left.as<T>(), stages.a);
    const Source<C> b = sourceOf(pieces, 1, piece, right.as<T>(), stages.b);
    if (givesBytes) return compute(op, a, b, out.as<uint8_t>() + piece.start, piece.length);
    if constexpr (isStaged) {
      compute(op, a, b, stages.out.values, piece.length);
      convertRow(out.as<T>() + piece.start, stages.out.values, piece.length);
    } else {
      compute(op, a, b, out.as<T>() + piece.start, piece.length);
    }
  });
}

void binary(Run& run) {
  const int64_t op = run.attributes().integer();
  if (op < 0 || op >= opCount) fail("binary: no operation has number %lld", static_cast<long long>(op));
  const DType dtype = run.input(0).dtype;
  if (run.input(1).dtype != dtype || run.output(0).dtype != (op == opLt || op == opEq ? DType::u8 : dtype)) fail("binary: dtypes differ");
  withType(dtype, [&](auto* type) { binaryOf<Pointee<decltype(type)>>(run, static_cast<BinaryOp>(op)); });
}

WEFT_KERNEL("binary", binary)

}  // namespace
}  // namespace weft::WEFT_ISA
