// unary: one function of each element. Floats go through f32; integers have neg, abs and floor.
#include "elements.h"
#include "vector-math.h"

namespace weft::WEFT_ISA {
namespace {

// In the order of src/operations/primitives.ts.
enum UnaryOp { opNeg, opExp, opLog, opSqrt, opRsqrt, opSin, opCos, opTanh, opErf, opAbs, opFloor };

WEFT_INLINE vf vfloor(vf x) {
  // Floats from 2^23 on are whole, and too large to go by way of an integer.
  const vi isSmall = vabs(x) < 0x1p23f;
  const vf whole = toFloat(toInt(select(isSmall, x, splat(0.0f))));
  const vf low = whole - select(whole > x, splat(1.0f), splat(0.0f));
  return select(isSmall, withSign(vabs(low), select(x < 0.0f, low - 1.0f, x)), x);
}

template <class T, class F> void eachVector(Run& run, int64_t grain, const F& function) {
  const T* x = run.input(0).as<T>();
  T* out = run.output(0).as<T>();
  run.parallelRanges(run.output(0).size, grain, [&](int64_t begin, int64_t end, int) {
    int64_t i = begin;
    for (; i + VW <= end; i += VW) storeAs(out + i, function(loadAs(x + i, VW)), VW);
    if (i < end) storeAs(out + i, function(loadAs(x + i, static_cast<int>(end - i))), static_cast<int>(end - i));
  });
}

template <class T> void unaryOf(Run& run, int64_t op) {
  constexpr int64_t cheap = 1 << 15, dear = 1 << 13;
  switch (op) {
    case opNeg: return eachVector<T>(run, cheap, [](vf x) { return -x; });
    case opExp: return eachVector<T>(run, dear, [](vf x) { return vexp(x); });
    case opLog: return eachVector<T>(run, dear, [](vf x) { return vlog(x); });
    case opSqrt: return eachVector<T>(run, cheap, [](vf x) { return vsqrt(x); });
    case opRsqrt: return eachVector<T>(run, cheap, [](vf x) { return 1.0f / vsqrt(x); });
    case opSin: return eachVector<T>(run, dear, [](vf x) { return vsin(x); });
    case opCos: return eachVector<T>(run, dear, [](vf x) { return vcos(x); });
    case opTanh: return eachVector<T>(run, dear, [](vf x) { return vtanh(x); });
    case opErf: return eachVector<T>(run, dear, [](vf x) { return verf(x); });
    case opAbs: return eachVector<T>(run, cheap, [](vf x) { return vabs(x); });
    case opFloor: return eachVector<T>(run, cheap, [](vf x) { return vfloor(x); });
    default: fail("unary: no operation has number %lld", static_cast<long long>(op));
  }
}

template <class T> void integerUnary(Run& run, int64_t op) {
  const T* x = run.input(0).as<T>();
  T* out = run.output(0).as<T>();
  if (op != opNeg && op != opAbs && op != opFloor) fail("unary: integers have neg, abs and floor only");
  run.parallelRanges(run.output(0).size, 1 << 15, [&](int64_t begin, int64_t end, int) {
    if (op == opNeg) {
      for (int64_t i = begin; i < end; i++) out[i] = static_cast<T>(0u - static_cast<uint32_t>(x[i]));
    } else if (op == opAbs) {
      for (int64_t i = begin; i < end; i++) out[i] = x[i] < 0 ? static_cast<T>(0u - static_cast<uint32_t>(x[i])) : x[i];
    } else {
      for (int64_t i = begin; i < end; i++) out[i] = x[i];
    }
  });
}

void unary(Run& run) {
  const View& x = run.input(0);
  const View& out = run.output(0);
  const int64_t op = run.attributes().integer();
  if (x.size != out.size || x.dtype != out.dtype) fail("unary: expected an output like the input");
  switch (x.dtype) {
    case DType::f32: return unaryOf<float>(run, op);
    case DType::bf16: return unaryOf<Bf16>(run, op);
    case DType::f16: return unaryOf<F16>(run, op);
    case DType::i32: return integerUnary<int32_t>(run, op);
    case DType::u8: return integerUnary<uint8_t>(run, op);
  }
}

WEFT_KERNEL("unary", unary)

}  // namespace
}  // namespace weft::WEFT_ISA
