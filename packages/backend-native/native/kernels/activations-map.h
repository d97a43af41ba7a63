// Runs a function of vectors over float tensors of one size and dtype.
#pragma once
#include <type_traits>

#include "isa.h"

namespace weft::WEFT_ISA {

WEFT_INLINE void requireLike(Run& run, const View& view, const View& x) {
  if (view.size != x.size || view.dtype != x.dtype) {
    fail("%s: expected tensors of one size and dtype, got %lld and %lld elements", run.operation(), static_cast<long long>(x.size), static_cast<long long>(view.size));
  }
}

/** body(i, n) for the vectors at i of n elements, on all threads. */
template <class F> WEFT_INLINE void forVectors(Run& run, int64_t size, const F& body) {
  run.parallelRanges(size, 1 << 15, [&](int64_t begin, int64_t end, int) {
    int64_t i = begin;
    for (; i + VW <= end; i += VW) body(i, VW);
    if (i < end) body(i, static_cast<int>(end - i));
  });
}

/** output = f(inputs), N inputs and one output of one dtype. */
template <int N, class F> WEFT_INLINE void mapFloats(Run& run, const F& f) {
  const View& first = run.input(0);
  for (int k = 1; k < N; k++) requireLike(run, run.input(k), first);
  requireLike(run, run.output(0), first);
  withFloatType(first.dtype, run.operation(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* from[N];
    for (int k = 0; k < N; k++) from[k] = run.input(k).as<T>();
    T* out = run.output(0).as<T>();
    forVectors(run, first.size, [&](int64_t i, int n) {
      vf x[N];
      for (int k = 0; k < N; k++) x[k] = loadAs(from[k] + i, n);
      storeAs(out + i, f(x), n);
    });
  });
}

}  // namespace weft::WEFT_ISA
