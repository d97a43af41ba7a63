// Single values and rows of values between dtypes, as typed arrays of JavaScript convert them.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

/** JavaScript's ToInt32: truncates, then modulo 2^32; NaN and infinities give 0. */
WEFT_INLINE int32_t wrapToInt(double x) {
  if (!(__builtin_fabs(x) < 0x1p84)) return 0;  // NaN, and doubles whose low 32 bits are 0
  if (__builtin_fabs(x) >= 0x1p62) x -= __builtin_floor(x * 0x1p-32) * 0x1p32;
  return static_cast<int32_t>(static_cast<uint32_t>(static_cast<int64_t>(x)));
}

/** The stored form of a number in the low bytes. */
WEFT_INLINE uint32_t storedBits(DType dtype, double value) {
  switch (dtype) {
    case DType::f32: {
      const auto number = static_cast<float>(value);
      uint32_t bits;
      memcpy(&bits, &number, 4);
      return bits;
    }
    case DType::i32: return static_cast<uint32_t>(wrapToInt(value));
    case DType::u8: return static_cast<uint8_t>(wrapToInt(value));
    case DType::bf16: return narrowBf16(static_cast<float>(value));
    default: return narrowF16(static_cast<float>(value));
  }
}

/** Truncates, as wrapToInt does. */
WEFT_INLINE vi truncate(vf x) {
  vi result = __builtin_convertvector(x, vi);
  const vi isFar = ~(vabs(x) < 0x1p31f);
  if (__builtin_expect(anyOf(isFar), 0))
    for (int i = 0; i < VW; i++)
      if (isFar[i]) result[i] = wrapToInt(static_cast<double>(x[i]));
  return result;
}

template <class A, class B> constexpr bool isSame = false;
template <class A> constexpr bool isSame<A, A> = true;

template <class T> constexpr bool isInteger = isSame<T, int32_t> || isSame<T, uint8_t>;

// What a dtype is computed in: C<T>. Floats in f32, integers in i32.
template <class T> struct Computed { using Type = float; };
template <> struct Computed<int32_t> { using Type = int32_t; };
template <> struct Computed<uint8_t> { using Type = int32_t; };

WEFT_INLINE float computed(float x) { return x; }
WEFT_INLINE float computed(Bf16 x) { return widenBf16(x.bits); }
WEFT_INLINE float computed(F16 x) { return widenF16(x.bits); }
WEFT_INLINE int32_t computed(int32_t x) { return x; }
WEFT_INLINE int32_t computed(uint8_t x) { return x; }

WEFT_INLINE vi loadWhole(const int32_t* p, int n) {
  if (n == VW) return loadInt(p);
  vi x = {};
  for (int i = 0; i < n; i++) x[i] = p[i];
  return x;
}
WEFT_INLINE vi loadWhole(const uint8_t* p, int n) {
  if (n == VW) return (vi)widen((vb)*reinterpret_cast<const vbUnaligned*>(p));
  vi x = {};
  for (int i = 0; i < n; i++) x[i] = p[i];
  return x;
}
WEFT_INLINE void storeWhole(int32_t* p, vi x, int n) {
  if (n == VW) return storeInt(p, x);
  for (int i = 0; i < n; i++) p[i] = x[i];
}
/** The low bytes. */
WEFT_INLINE void storeWhole(uint8_t* p, vi x, int n) {
  const vb bytes = narrowTo8((vu)(x & 255));
  if (n == VW) *reinterpret_cast<vbUnaligned*>(p) = bytes;
  else
    for (int i = 0; i < n; i++) p[i] = bytes[i];
}

/** n ≤ VW elements between dtypes of which one at least is a float. */
template <class To, class From> WEFT_INLINE void convertVector(To* to, const From* from, int n) {
  if constexpr (isInteger<From>) storeAs(to, __builtin_convertvector(loadWhole(from, n), vf), n);
  else if constexpr (isInteger<To>) storeWhole(to, truncate(loadAs(from, n)), n);
  else storeAs(to, loadAs(from, n), n);
}

/** to[i] = from[i] for n elements: widening to what is computed in, narrowing back, or between any two dtypes. */
template <class To, class From> WEFT_INLINE void convertRow(To* to, const From* from, int64_t n) {
  if constexpr (isSame<From, To>) {
    memcpy(to, from, static_cast<size_t>(n) * sizeof(To));
  } else if constexpr (isInteger<From> && isInteger<To>) {
    for (int64_t i = 0; i < n; i++) to[i] = static_cast<To>(from[i]);
  } else {
    int64_t i = 0;
    for (; i + VW <= n; i += VW) convertVector(to + i, from + i, VW);
    if (i < n) convertVector(to + i, from + i, static_cast<int>(n - i));
  }
}

template <class P> struct PointeeOf;
template <class T> struct PointeeOf<T*> { using Type = T; };
template <class P> using Pointee = typename PointeeOf<P>::Type;

/** Calls body with a null pointer of the C++ type of any dtype. */
template <class F> WEFT_INLINE void withType(DType dtype, const F& body) {
  switch (dtype) {
    case DType::f32: return body(static_cast<float*>(nullptr));
    case DType::i32: return body(static_cast<int32_t*>(nullptr));
    case DType::u8: return body(static_cast<uint8_t*>(nullptr));
    case DType::bf16: return body(static_cast<Bf16*>(nullptr));
    case DType::f16: return body(static_cast<F16*>(nullptr));
  }
}

/** Calls body with a null pointer to unsigned integers of an element's size, for kernels that only move values. */
template <class F> WEFT_INLINE void withBits(DType dtype, const F& body) {
  switch (bytesPerElement(dtype)) {
    case 1: return body(static_cast<uint8_t*>(nullptr));
    case 2: return body(static_cast<uint16_t*>(nullptr));
    default: return body(static_cast<uint32_t*>(nullptr));
  }
}

}  // namespace weft::WEFT_ISA
