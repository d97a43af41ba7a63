// The gradients of linear: one pass over the incoming gradient for activation and bias, then two products.
#include <type_traits>

#include "activations.h"
#include "linear.h"

namespace weft::WEFT_ISA {
namespace {

/** Rows whose bias gradients are added up before the blocks are: fixed, so that the sum does not depend on threads. */
constexpr int64_t blockRows = 64;

struct NoSlope {};
struct ReluSlope {};
template <class F> struct SlopeOf {
  static WEFT_INLINE vf slope(vf x) { return F::slope(x).slope; }
};

template <class F> WEFT_INLINE void withSlope(Activation activation, const F& body) {
  switch (activation) {
    case Activation::none: return body(NoSlope{});
    case Activation::gelu: return body(SlopeOf<GeluExact>{});
    case Activation::geluTanh: return body(SlopeOf<GeluTanh>{});
    case Activation::silu: return body(SlopeOf<Silu>{});
    case Activation::relu: return body(ReluSlope{});
  }
}

/** One row: before = gradient · slope, and its sum. `before` and `sum` may be null. */
template <class S, class T> WEFT_INLINE void passRow(const T* gradient, const T* preactivation, T* before, float* sum, int64_t columns) {
  for (int64_t j = 0; j < columns; j += VW) {
    const int n = static_cast<int>(min<int64_t>(VW, columns - j));
    vf g = loadAs(gradient + j, n);
    if constexpr (std::is_same_v<S, ReluSlope>) {
      g = select(loadAs(preactivation + j, n) > 0, g, vf{});  // no product: an infinite gradient behind a closed gate is 0
      storeAs(before + j, g, n);
    } else if constexpr (!std::is_same_v<S, NoSlope>) {
      g = g * S::slope(loadAs(preactivation + j, n));
      storeAs(before + j, g, n);
    }
    if (sum != nullptr) storeAs(sum + j, loadAs(sum + j, n) + g, n);
  }
}

/** The gradient before the activation, and partial sums of it over blocks of rows: [blocks, columns]. */
template <class S, class T> void passOver(Run& run, const T* gradient, const T* preactivation, T* before, float* sums, int64_t rows, int64_t columns) {
  run.parallelRanges(rows, blockRows, [&](int64_t begin, int64_t end, int) {
    float* sum = sums == nullptr ? nullptr : sums + begin / blockRows * columns;
    if (sum != nullptr) memset(sum, 0, static_cast<size_t>(columns) * sizeof(float));
    for (int64_t row = begin; row < end; row++) {
      const int64_t at = row * columns;
      if constexpr (std::is_same_v<S, NoSlope>) passRow<S, T>(gradient + at, nullptr, nullptr, sum, columns);
      else passRow<S, T>(gradient + at, preactivation + at, before + at, sum, columns);
    }
  });
}

void addBlocks(Run& run, const float* sums, int64_t blocks, int64_t columns, const View& out) {
  withFloatType(out.dtype, "linearBackward", [&]<class T>(T*) {
    T* to = out.as<T>();
    run.parallelRanges(columns, 4096, [&](int64_t begin, int64_t end, int) {
      for (int64_t j = begin; j < end; j += VW) {
        const int n = static_cast<int>(min<int64_t>(VW, end - j));
        vf total = {};
        for (int64_t block = 0; block < blocks; block++) total += loadAs(sums + block * columns + j, n);
        storeAs(to + j, total, n);
      }
    });
  });
}

/** [rows, outputs]; where an activation stands between, a buffer of its own. Makes the bias gradient on the way. */
MatrixRef beforeActivation(Run& run, const LinearSizes& sizes, Activation activation, const View* biasGradient) {
  const View& gradient = run.input(3);
  const bool isActivated = activation != Activation::none;
  MatrixRef before = rowMajor(gradient, sizes.outputs);
  if (!isActivated && biasGradient == nullptr) return before;
  if (isActivated) requireFloats(run, run.input(2), gradient.size, gradient.dtype);
  void* memory = isActivated ? run.temporary(gradient.size * bytesPerElement(gradient.dtype)) : nullptr;
  const int64_t blocks = ceilDiv(sizes.rows, blockRows);
  float* sums = biasGradient == nullptr ? nullptr : run.temporaryOf<float>(blocks * sizes.outputs);
  withFloatType(gradient.dtype, "linearBackward", [&]<class T>(T*) {
    withSlope(activation, [&]<class S>(S) {
      passOver<S, T>(run, gradient.as<T>(), isActivated ? run.input(2).as<T>() : nullptr, static_cast<T*>(memory), sums, sizes.rows, sizes.outputs);
    });
  });
  if (biasGradient != nullptr) addBlocks(run, sums, blocks, sizes.outputs, *biasGradient);
  if (isActivated) before.data = memory;
  return before;
}

void product(Run& run, const MatrixRef& a, const MatrixRef& b, int64_t m, int64_t k, int64_t n, const View& out) {
  requireFloats(run, out, m * n, out.dtype);
  Gemm call{.m = m, .n = n, .k = k, .a = a, .b = b};
  call.c = out.data;
  call.cType = out.dtype;
  call.cStride = n;
  gemm(run, call);
}

/** Slots x, weight, preactivation?, gradient; `needs` of x, weight, bias. */
void linearBackward(Run& run) {
  Attributes attributes = run.attributes();
  const Attributes::List needs = attributes.list();
  const View& x = run.input(0);
  const LinearSizes sizes = linearSizes(run, x, run.input(1), attributes);
  const Activation activation = activationOf(attributes);
  if (needs.count != 3) fail("linearBackward: expected needs of 3 inputs");
  requireFloats(run, run.input(3), sizes.rows * sizes.outputs, run.input(3).dtype);
  int next = 0;
  const View* gradients[3];
  for (int i = 0; i < 3; i++) gradients[i] = needs[i] == 1 ? &run.output(next++) : nullptr;
  if (gradients[2] != nullptr) requireFloats(run, *gradients[2], sizes.outputs, gradients[2]->dtype);

  const MatrixRef g = beforeActivation(run, sizes, activation, gradients[2]);
  const MatrixRef rows = rowMajor(x, sizes.inputs);
  if (gradients[0] != nullptr) product(run, g, weightOf(run.input(1), sizes), sizes.rows, sizes.outputs, sizes.inputs, *gradients[0]);
  if (gradients[1] == nullptr) return;
  if (sizes.isInOut) product(run, transposed(rows), g, sizes.inputs, sizes.rows, sizes.outputs, *gradients[1]);
  else product(run, transposed(g), rows, sizes.outputs, sizes.rows, sizes.inputs, *gradients[1]);
}

WEFT_KERNEL("linearBackward", linearBackward)

}  // namespace
}  // namespace weft::WEFT_ISA
