// One source for all instruction sets: vectors of VW floats by the compiler's vector extensions. The build compiles each kernel file
// once per level, with WEFT_LEVEL 0 (baseline), 1 (AVX2 and FMA) or 2 (AVX-512 F, BW, DQ, VL), into a namespace of its own.
#pragma once
#include <cstring>

#include "kernel.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if WEFT_LEVEL == 2
#define WEFT_ISA avx512
#define WEFT_ISA_VALUE weft::Isa::avx512
#elif WEFT_LEVEL == 1
#define WEFT_ISA avx2
#define WEFT_ISA_VALUE weft::Isa::avx2
#else
#define WEFT_ISA baseline
#define WEFT_ISA_VALUE weft::Isa::baseline
#endif

#define WEFT_JOIN2(a, b) a##b
#define WEFT_JOIN(a, b) WEFT_JOIN2(a, b)
/** At namespace scope of a kernel file, in weft::WEFT_ISA: WEFT_KERNEL("matMul", matMulKernel) */
#define WEFT_KERNEL(name, function) static const ::weft::Registration WEFT_JOIN(registration, __LINE__){name, WEFT_ISA_VALUE, function};

namespace weft::WEFT_ISA {

#if WEFT_LEVEL == 2
constexpr int VW = 16;
#elif WEFT_LEVEL == 1
constexpr int VW = 8;
#else
constexpr int VW = 4;
#endif

typedef float vf __attribute__((vector_size(4 * VW)));
typedef int32_t vi __attribute__((vector_size(4 * VW)));
typedef uint32_t vu __attribute__((vector_size(4 * VW)));
typedef uint16_t vh __attribute__((vector_size(2 * VW)));  // halves: f16 or bf16 bits
typedef uint8_t vb __attribute__((vector_size(VW)));
typedef float vfUnaligned __attribute__((vector_size(4 * VW), aligned(4), may_alias));
typedef int32_t viUnaligned __attribute__((vector_size(4 * VW), aligned(4), may_alias));
typedef uint16_t vhUnaligned __attribute__((vector_size(2 * VW), aligned(2), may_alias));
typedef uint8_t vbUnaligned __attribute__((vector_size(VW), aligned(1), may_alias));

template <class T> WEFT_INLINE T min(T a, T b) { return b < a ? b : a; }
template <class T> WEFT_INLINE T max(T a, T b) { return a < b ? b : a; }
WEFT_INLINE int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

WEFT_INLINE vf splat(float x) { return x - (vf){}; }
WEFT_INLINE vi splatInt(int32_t x) { return x - (vi){}; }
WEFT_INLINE vf load(const float* p) { return *reinterpret_cast<const vfUnaligned*>(p); }
WEFT_INLINE void store(float* p, vf x) { *reinterpret_cast<vfUnaligned*>(p) = x; }
WEFT_INLINE vi loadInt(const int32_t* p) { return *reinterpret_cast<const viUnaligned*>(p); }
WEFT_INLINE void storeInt(int32_t* p, vi x) { *reinterpret_cast<viUnaligned*>(p) = x; }
WEFT_INLINE vi bitsOf(vf x) { return (vi)x; }
WEFT_INLINE vf floatsOf(vi x) { return (vf)x; }
/** mask ? a : b, lane by lane; mask is all ones or all zeros. */
WEFT_INLINE vf select(vi mask, vf a, vf b) { return mask ? a : b; }
// Where either is NaN, b comes out, as the processor's own instructions have it; the compiler does not find them by itself.
#if WEFT_LEVEL == 2
WEFT_INLINE vf vmax(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }
WEFT_INLINE vf vmin(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
#elif WEFT_LEVEL == 1
WEFT_INLINE vf vmax(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
WEFT_INLINE vf vmin(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
#elif defined(__x86_64__)
WEFT_INLINE vf vmax(vf a, vf b) { return (vf)_mm_max_ps((__m128)a, (__m128)b); }
WEFT_INLINE vf vmin(vf a, vf b) { return (vf)_mm_min_ps((__m128)a, (__m128)b); }
#else
WEFT_INLINE vf vmax(vf a, vf b) { return a > b ? a : b; }
WEFT_INLINE vf vmin(vf a, vf b) { return a < b ? a : b; }
#endif
WEFT_INLINE vf vabs(vf x) { return floatsOf(bitsOf(x) & 0x7fffffff); }
/** |magnitude| with the sign of `sign`. */
WEFT_INLINE vf withSign(vf magnitude, vf sign) { return floatsOf((bitsOf(magnitude) & 0x7fffffff) | (bitsOf(sign) & (int32_t)0x80000000)); }

/** Whether any lane of a comparison holds. */
WEFT_INLINE bool anyOf(vi mask) {
#if WEFT_LEVEL == 2
  return _mm512_movepi32_mask((__m512i)mask) != 0;
#elif WEFT_LEVEL == 1
  return _mm256_movemask_ps((__m256)mask) != 0;
#elif defined(__SSE2__)
  return _mm_movemask_ps((__m128)mask) != 0;
#else
  int32_t any = 0;
  for (int i = 0; i < VW; i++) any |= mask[i];
  return any != 0;
#endif
}

// Widening and narrowing of integers. Compilers take the lanes apart one by one where nobody tells them the instruction.
WEFT_INLINE vu widen(vh x) {
#if WEFT_LEVEL == 2
  return (vu)_mm512_cvtepu16_epi32((__m256i)x);
#elif WEFT_LEVEL == 1
  return (vu)_mm256_cvtepu16_epi32((__m128i)x);
#elif defined(__SSE4_1__)
  int64_t low;
  memcpy(&low, &x, sizeof low);
  return (vu)_mm_cvtepu16_epi32(_mm_cvtsi64_si128(low));
#else
  return __builtin_convertvector(x, vu);
#endif
}
WEFT_INLINE vu widen(vb x) {
#if WEFT_LEVEL == 2
  return (vu)_mm512_cvtepu8_epi32((__m128i)x);
#elif WEFT_LEVEL == 1
  int64_t low;
  memcpy(&low, &x, sizeof low);
  return (vu)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(low));
#elif defined(__SSE4_1__)
  int32_t low;
  memcpy(&low, &x, sizeof low);
  return (vu)_mm_cvtepu8_epi32(_mm_cvtsi32_si128(low));
#else
  return __builtin_convertvector(x, vu);
#endif
}
/** Each below 2^16. */
WEFT_INLINE vh narrowTo16(vu x) {
#if WEFT_LEVEL == 2
  return (vh)_mm512_cvtepi32_epi16((__m512i)x);
#elif WEFT_LEVEL == 1
  return (vh)_mm_packus_epi32(_mm256_castsi256_si128((__m256i)x), _mm256_extracti128_si256((__m256i)x, 1));
#elif defined(__SSE4_1__)
  const int64_t packed = _mm_cvtsi128_si64(_mm_packus_epi32((__m128i)x, (__m128i)x));
  vh result;
  memcpy(&result, &packed, sizeof result);
  return result;
#else
  return __builtin_convertvector(x, vh);
#endif
}
/** Each below 2^8. */
WEFT_INLINE vb narrowTo8(vu x) {
#if WEFT_LEVEL == 2
  return (vb)_mm512_cvtepi32_epi8((__m512i)x);
#elif WEFT_LEVEL == 1
  const auto words = _mm_packus_epi32(_mm256_castsi256_si128((__m256i)x), _mm256_extracti128_si256((__m256i)x, 1));
  const int64_t bytes = _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
  vb result;
  memcpy(&result, &bytes, sizeof result);
  return result;
#elif defined(__SSE4_1__)
  const auto words = _mm_packus_epi32((__m128i)x, (__m128i)x);
  const int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
  vb result;
  memcpy(&result, &bytes, sizeof result);
  return result;
#else
  return __builtin_convertvector(x, vb);
#endif
}

/** a·b + c, rounded once where the instruction set has it: said outright, so that all copies of a sum have the same bits. */
WEFT_INLINE vf multiplyAdd(vf a, vf b, vf c) {
#if WEFT_LEVEL == 2
  return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif WEFT_LEVEL == 1
  return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}

/** The first n (0 … VW) elements; the others are 0. */
WEFT_INLINE vf loadPart(const float* p, int n) {
#if WEFT_LEVEL == 2
  return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#else
  vf x = {};
  for (int i = 0; i < n; i++) x[i] = p[i];
  return x;
#endif
}
WEFT_INLINE void storePart(float* p, vf x, int n) {
#if WEFT_LEVEL == 2
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)x);
#else
  for (int i = 0; i < n; i++) p[i] = x[i];
#endif
}

// Half-width types. bf16 rounds to nearest even and keeps NaN a NaN; f16 likewise.
WEFT_INLINE vf widenBf16(vh h) { return floatsOf((vi)(widen(h) << 16)); }
WEFT_INLINE vh narrowBf16(vf x) {
  const vu bits = (vu)bitsOf(x);
  const vu rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const vu notANumber = (vu)(x != x);
  return narrowTo16((rounded & ~notANumber) | (notANumber & 0x7fc0));
}
WEFT_INLINE float widenBf16(uint16_t h) {
  const uint32_t bits = static_cast<uint32_t>(h) << 16;
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
WEFT_INLINE uint16_t narrowBf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return x != x ? 0x7fc0 : static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
WEFT_INLINE float widenF16(uint16_t h) {
  // Shift exponent and fraction into place and multiply by 2^112: subnormal halves come out right by themselves.
  const uint32_t magnitude = static_cast<uint32_t>(h & 0x7fff) << 13;
  float x;
  memcpy(&x, &magnitude, 4);
  x *= 0x1p112f;
  uint32_t bits;
  memcpy(&bits, &x, 4);
  if ((h & 0x7c00) == 0x7c00) bits = magnitude | 0x7f800000;
  bits |= static_cast<uint32_t>(h & 0x8000) << 16;
  memcpy(&x, &bits, 4);
  return x;
}
WEFT_INLINE vf widenF16(vh h) {
  const vi half = (vi)__builtin_convertvector(h, vu);
  const vi magnitude = (half & 0x7fff) << 13;
  const vi special = (half & 0x7c00) == 0x7c00;  // infinity and NaN
  const vi bits = (bitsOf(floatsOf(magnitude) * 0x1p112f) & ~special) | ((magnitude | 0x7f800000) & special);
  return floatsOf(bits | (half & 0x8000) << 16);
}
WEFT_INLINE uint16_t narrowF16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  bits &= 0x7fffffff;
  if (bits > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00);
  if (bits >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);  // 65520 and above
  if (bits < 0x38800000) {                                              // below 2^-14: adding 0.5 rounds to multiples of 2^-24
    float magnitude;
    memcpy(&magnitude, &bits, 4);
    magnitude += 0.5f;
    memcpy(&bits, &magnitude, 4);
    return static_cast<uint16_t>(sign | (bits - 0x3f000000));
  }
  bits += 0xfff + ((bits >> 13) & 1);
  return static_cast<uint16_t>(sign | ((bits - 0x38000000) >> 13));
}

// Loads and stores that convert. n: how many of the VW elements exist (VW: all).
template <class T> WEFT_INLINE vf loadAs(const T* p, int n);
template <class T> WEFT_INLINE void storeAs(T* p, vf x, int n);
struct Bf16 { uint16_t bits; };
struct F16 { uint16_t bits; };
template <> WEFT_INLINE vf loadAs<float>(const float* p, int n) { return n == VW ? load(p) : loadPart(p, n); }
template <> WEFT_INLINE void storeAs<float>(float* p, vf x, int n) { n == VW ? store(p, x) : storePart(p, x, n); }
template <> WEFT_INLINE vf loadAs<Bf16>(const Bf16* p, int n) {
  if (n == VW) return widenBf16((vh)*reinterpret_cast<const vhUnaligned*>(p));
  vh h = {};
  for (int i = 0; i < n; i++) h[i] = p[i].bits;
  return widenBf16(h);
}
template <> WEFT_INLINE void storeAs<Bf16>(Bf16* p, vf x, int n) {
  const vh h = narrowBf16(x);
  if (n == VW) *reinterpret_cast<vhUnaligned*>(p) = h;
  else
    for (int i = 0; i < n; i++) p[i].bits = h[i];
}
template <> WEFT_INLINE vf loadAs<F16>(const F16* p, int n) {
#if WEFT_LEVEL == 2
  if (n == VW) return (vf)_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
#elif WEFT_LEVEL == 1
  if (n == VW) return (vf)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#else
  if (n == VW) return widenF16((vh)*reinterpret_cast<const vhUnaligned*>(p));
#endif
  vf x = {};
  for (int i = 0; i < n; i++) x[i] = widenF16(p[i].bits);
  return x;
}
template <> WEFT_INLINE void storeAs<F16>(F16* p, vf x, int n) {
#if WEFT_LEVEL == 2
  if (n == VW) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif WEFT_LEVEL == 1
  if (n == VW) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT));
#endif
  for (int i = 0; i < n; i++) p[i].bits = narrowF16(x[i]);
}

/** Calls body with a null pointer of the C++ type of a float dtype: f32, bf16, f16. */
template <class F> WEFT_INLINE void withFloatType(DType dtype, const char* operation, const F& body) {
  switch (dtype) {
    case DType::f32: return body(static_cast<float*>(nullptr));
    case DType::bf16: return body(static_cast<Bf16*>(nullptr));
    case DType::f16: return body(static_cast<F16*>(nullptr));
    default: fail("%s: expected a float dtype", operation);
  }
}

// Over the lanes: the upper half onto the lower, again and again until one is left.
#if defined(__x86_64__)
template <class F, class G> WEFT_INLINE float foldLanes(vf x, const F& ofEight, const G& ofFour) {
#if WEFT_LEVEL == 2
  const __m256 eight = ofEight(_mm512_extractf32x8_ps((__m512)x, 0), _mm512_extractf32x8_ps((__m512)x, 1));
#elif WEFT_LEVEL == 1
  const __m256 eight = (__m256)x;
#endif
#if WEFT_LEVEL > 0
  const __m128 four = ofFour(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
#else
  const __m128 four = (__m128)x;
#endif
  const __m128 two = ofFour(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(ofFour(two, _mm_movehdup_ps(two)));
}
WEFT_INLINE float sumLanes(vf x) {
  return foldLanes(x, [](auto a, auto b) { return a + b; }, [](auto a, auto b) { return a + b; });
}
WEFT_INLINE float maxLanes(vf x) {
#if WEFT_LEVEL > 0
  return foldLanes(x, [](__m256 a, __m256 b) { return _mm256_max_ps(b, a); }, [](__m128 a, __m128 b) { return _mm_max_ps(b, a); });
#else
  return foldLanes(x, 0, [](__m128 a, __m128 b) { return _mm_max_ps(b, a); });
#endif
}
#else
template <class F> WEFT_INLINE float foldLanes(vf x, const F& f) {
  float lanes[VW];
  memcpy(lanes, &x, sizeof lanes);
  for (int width = VW / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) lanes[i] = f(lanes[i], lanes[i + width]);
  return lanes[0];
}
WEFT_INLINE float sumLanes(vf x) {
  return foldLanes(x, [](float a, float b) { return a + b; });
}
WEFT_INLINE float maxLanes(vf x) {
  return foldLanes(x, [](float a, float b) { return max(a, b); });
}
#endif

}  // namespace weft::WEFT_ISA
