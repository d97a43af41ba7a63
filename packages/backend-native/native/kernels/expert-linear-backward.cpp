// The gradients of expertLinear: the same sorting, two products an expert; a row of x adds up what its choices bring, in their order.
#include "expert-linear.h"

namespace weft::WEFT_ISA {
namespace {

struct Sorted {
  const ExpertSizes& sizes;
  const Choices& choices;
  const char* gradients;  // [taken, outputs], by expert
  DType dtype;

  MatrixRef gradientsOf(int64_t expert) const {
    return {gradients + choices.starts[expert] * sizes.outputs * bytesPerElement(dtype), dtype, sizes.outputs, 1};
  }
};

/** x's gradient: products in float32 by choice, then sums over each row's choices. */
void gradientOfRows(Run& run, const Sorted& sorted, const View& out) {
  const ExpertSizes& sizes = sorted.sizes;
  const Choices& choices = sorted.choices;
  requireFloats(run, out, sizes.rows * sizes.inputs, sorted.dtype);
  const int64_t taken = choices.starts[sizes.experts];
  float* products = run.temporaryOf<float>(taken * sizes.inputs);
  for (int64_t expert = 0; expert < sizes.experts; expert++) {
    Gemm call{.m = choices.countOf(expert), .n = sizes.inputs, .k = sizes.outputs, .a = sorted.gradientsOf(expert), .b = weightsOf(run.input(1), sizes, expert)};
    call.c = products + choices.starts[expert] * sizes.inputs;
    call.cStride = sizes.inputs;
    gemm(run, call);
  }
  int64_t* whereIs = run.temporaryOf<int64_t>(sizes.rows * sizes.chosen);
  for (int64_t i = 0; i < sizes.rows * sizes.chosen; i++) whereIs[i] = -1;
  for (int64_t i = 0; i < taken; i++) whereIs[choices.places[i]] = i;
  withFloatType(out.dtype, run.operation(), [&]<class T>(T*) {
    run.parallelRanges(sizes.rows, max<int64_t>(1, 32768 / max<int64_t>(1, sizes.inputs * sizes.chosen)), [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        for (int64_t j = 0; j < sizes.inputs; j += VW) {
          const int n = static_cast<int>(min<int64_t>(VW, sizes.inputs - j));
          vf total = {};
          for (int64_t choice = row * sizes.chosen; choice < (row + 1) * sizes.chosen; choice++)
            if (whereIs[choice] >= 0) total += loadAs(products + whereIs[choice] * sizes.inputs + j, n);
          storeAs(out.as<T>() + row * sizes.inputs + j, total, n);
        }
      }
    });
  });
}

/** The weights' gradient: of each expert, its gradients times its rows; zeros where it has none. */
void gradientOfWeights(Run& run, const Sorted& sorted, const View& out) {
  const ExpertSizes& sizes = sorted.sizes;
  const Choices& choices = sorted.choices;
  const View& x = run.input(0);
  requireFloats(run, out, sizes.experts * sizes.outputs * sizes.inputs, out.dtype);
  const int64_t bytes = sizes.inputs * bytesPerElement(x.dtype);
  const int64_t taken = choices.starts[sizes.experts];
  char* rows = static_cast<char*>(run.temporary(taken * bytes));
  copyRows(run, x.data, rows, taken, bytes, [&](int64_t i) { return choices.places[i] / sizes.chosen; });
  for (int64_t expert = 0; expert < sizes.experts; expert++) {
    Gemm call{.m = sizes.outputs, .n = sizes.inputs, .k = choices.countOf(expert), .a = transposed(sorted.gradientsOf(expert))};
    call.b = {rows + choices.starts[expert] * bytes, x.dtype, sizes.inputs, 1};
    call.c = out.as<char>() + expert * sizes.outputs * sizes.inputs * bytesPerElement(out.dtype);
    call.cType = out.dtype;
    call.cStride = sizes.inputs;
    gemm(run, call);
  }
}

/** Slots x, weights, expertIds, gradient [rows, chosen, outputs]; `needs` of x, weights. */
void expertLinearBackward(Run& run) {
  const ExpertSizes sizes = expertSizes(run);
  const View& gradient = run.input(3);
  Attributes attributes = run.attributes();
  const Attributes::List needs = attributes.list();
  if (needs.count != 2) fail("expertLinearBackward: expected needs of 2 inputs");
  requireFloats(run, gradient, sizes.rows * sizes.chosen * sizes.outputs, run.input(0).dtype);
  const Choices choices = sortChoices(run, sizes);
  const int64_t bytes = sizes.outputs * bytesPerElement(gradient.dtype);
  void* gradients = run.temporary(choices.starts[sizes.experts] * bytes);
  copyRows(run, gradient.data, gradients, choices.starts[sizes.experts], bytes, [&](int64_t i) { return choices.places[i]; });
  const Sorted sorted{sizes, choices, static_cast<const char*>(gradients), gradient.dtype};
  int next = 0;
  if (needs[0] == 1) gradientOfRows(run, sorted, run.output(next++));
  if (needs[1] == 1) gradientOfWeights(run, sorted, run.output(next));
}

WEFT_KERNEL("expertLinearBackward", expertLinearBackward)

}  // namespace
}  // namespace weft::WEFT_ISA
