// What this machine can do at most, on all threads: multiply-adds in float32, bfloat16 and int8, and bytes read from memory. Each operation
// times itself several times and gives the best: others use the machine too.
#include <time.h>

#include "isa.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int rounds = 5;
constexpr int tilesPerWorker = 16;

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/** Units of work per nanosecond: `work` units a tile, body(tile, worker). */
template <class F> void measure(Run& run, double work, const F& body) {
  const int64_t tiles = run.workers() == 1 ? 1 : int64_t{tilesPerWorker} * run.workers();
  double best = 0;
  for (int round = 0; round < rounds; round++) {
    const double start = now();
    run.parallel(tiles, body);
    const double rate = work * static_cast<double>(tiles) / (now() - start);
    best = max(best, rate);
  }
  if (run.output(0).dtype != DType::f32 || run.output(0).size != 1) fail("%s: expected one f32 output", run.operation());
  *run.output(0).as<float>() = static_cast<float>(best);
}

int64_t iterationsOf(Run& run) {
  const int64_t iterations = run.attributes().integer();
  if (iterations < 1 || iterations > int64_t{1} << 40) fail("%s: expected 1 to 2^40 iterations, got %lld", run.operation(), static_cast<long long>(iterations));
  return iterations;
}

/** Keeps a value, and the loop that made it, from being optimised away. */
template <class T> WEFT_INLINE void use(const T& value) { asm volatile("" : : "m"(value)); }

#if defined(__x86_64__)
#define WEFT_VECTOR(value) "+x"(value)
#else
#define WEFT_VECTOR(value) "+w"(value)
#endif

// Enough sums in flight to cover the latency of a multiply-add on two units.
constexpr int sums = 12;

/**
 * `step` on each of several independent sums. Every loop over them is unrolled, else the compiler keeps them in memory; the statements
 * between tell it that each value is needed.
 */
#define WEFT_MEASURED_LOOP(T, start, step)                                   \
  T x[sums];                                                                 \
  _Pragma("GCC unroll 16") for (int j = 0; j < sums; j++) x[j] = (start);     \
  for (int64_t i = 0; i < iterations; i++) {                                 \
    _Pragma("GCC unroll 16") for (int j = 0; j < sums; j++) x[j] = (step);    \
    _Pragma("GCC unroll 16") for (int j = 0; j < sums; j++) asm volatile("" : WEFT_VECTOR(x[j])); \
  }                                                                          \
  T total = x[0];                                                            \
  _Pragma("GCC unroll 16") for (int j = 1; j < sums; j++) total += x[j];      \
  use(total);

void fmaLoop(int64_t iterations) {
  const vf a = splat(0.999f), b = splat(0.001f);
  WEFT_MEASURED_LOOP(vf, splat(static_cast<float>(j)), multiplyAdd(x[j], a, b))
}

/** GFLOP/s of float32 multiply-adds; a multiply-add counts two. */
void measureFma(Run& run) {
  const int64_t iterations = iterationsOf(run);
  measure(run, 2.0 * sums * VW * static_cast<double>(iterations), [=](int64_t, int) { fmaLoop(iterations); });
}
WEFT_KERNEL("measureFma", measureFma)

#if WEFT_LEVEL == 2
__attribute__((target("avx512bf16"))) void bf16Loop(int64_t iterations) {
  const __m512bh a = (__m512bh)_mm512_set1_epi32(0x3f003f00);
  WEFT_MEASURED_LOOP(__m512, _mm512_set1_ps(static_cast<float>(j)), _mm512_dpbf16_ps(x[j], a, a))
}

__attribute__((target("avx512vnni"))) void int8Loop(int64_t iterations) {
  const __m512i a = _mm512_set1_epi8(3);
  WEFT_MEASURED_LOOP(__m512i, _mm512_set1_epi32(j), _mm512_dpbusd_epi32(x[j], a, a))
}
#endif

/** 0 where the processor has no such instruction. */
void nothing(Run& run) {
  iterationsOf(run);
  measure(run, 0, [](int64_t, int) {});
}

/** GFLOP/s of bfloat16 multiply-adds summed in float32. */
void measureBf16(Run& run) {
#if WEFT_LEVEL == 2
  const int64_t iterations = iterationsOf(run);
  if (cpuFeatures().avx512Bf16) return measure(run, 2.0 * sums * 32 * static_cast<double>(iterations), [=](int64_t, int) { bf16Loop(iterations); });
#endif
  nothing(run);
}
WEFT_KERNEL("measureBf16", measureBf16)

/** Gop/s of int8 multiply-adds summed in int32. */
void measureInt8(Run& run) {
#if WEFT_LEVEL == 2
  const int64_t iterations = iterationsOf(run);
  if (cpuFeatures().avx512Vnni) return measure(run, 2.0 * sums * 64 * static_cast<double>(iterations), [=](int64_t, int) { int8Loop(iterations); });
#endif
  nothing(run);
}
WEFT_KERNEL("measureInt8", measureInt8)

/** GB/s read in order from a buffer of so many bytes. */
void measureRead(Run& run) {
  constexpr int64_t grain = 1 << 20;
  constexpr int64_t prefetched = 1024;  // floats ahead, across the limits of pages that the processor stops at
  const int64_t asked = run.attributes().integer();
  if (asked < grain || asked > int64_t{1} << 36) fail("measureRead: expected 1 MB to 64 GB, got %lld bytes", static_cast<long long>(asked));
  const int64_t bytes = asked / grain * grain;
  float* data = run.temporaryOf<float>(bytes / 4);
  const int64_t tiles = bytes / grain;
  run.parallel(tiles, [&](int64_t tile, int) { memset(data + tile * (grain / 4), 0, grain); });
  double best = 0;
  for (int round = 0; round < rounds; round++) {
    const double start = now();
    run.parallel(tiles, [&](int64_t tile, int) {
      const float* at = data + tile * (grain / 4);
      vf x[8] = {};
      for (int64_t i = 0; i < grain / 4; i += 8 * VW)
        for (int j = 0; j < 8; j++) {
          __builtin_prefetch(at + i + j * VW + prefetched);
          x[j] += load(at + i + j * VW);
        }
      use(x);
    });
    best = max(best, static_cast<double>(bytes) / (now() - start));
  }
  if (run.output(0).dtype != DType::f32 || run.output(0).size != 1) fail("measureRead: expected one f32 output");
  *run.output(0).as<float>() = static_cast<float>(best);
}
WEFT_KERNEL("measureRead", measureRead)

}  // namespace
}  // namespace weft::WEFT_ISA
