// linear: activation(x · Wᵀ + bias) + residual, all of it while the sums are at hand.
#include "linear.h"

namespace weft::WEFT_ISA {
namespace {

/** Slots x, weight, bias?, residual?; outputs, and what came before the activation where it is recorded. */
void linear(Run& run) {
  Attributes attributes = run.attributes();
  const View& x = run.input(0);
  const View& out = run.output(0);
  const LinearSizes sizes = linearSizes(run, x, run.input(1), attributes);
  const Activation activation = activationOf(attributes);
  requireFloats(run, out, sizes.rows * sizes.outputs, x.dtype);
  Gemm call{.m = sizes.rows, .n = sizes.outputs, .k = sizes.inputs, .a = rowMajor(x, sizes.inputs), .b = transposed(weightOf(run.input(1), sizes))};
  call.c = out.data;
  call.cType = out.dtype;
  call.cStride = sizes.outputs;
  call.activation = activation;
  if (run.has(2)) {
    requireFloats(run, run.input(2), sizes.outputs, run.input(2).dtype);
    call.bias = run.input(2).data;
    call.biasType = run.input(2).dtype;
  }
  if (run.has(3)) {
    requireFloats(run, run.input(3), out.size, out.dtype);
    call.residual = run.input(3).data;
    call.residualStride = sizes.outputs;
  }
  if (run.outputs() > 1) {
    requireFloats(run, run.output(1), out.size, out.dtype);
    call.preactivation = run.output(1).data;
  }
  gemm(run, call);
}

WEFT_KERNEL("linear", linear)

}  // namespace
}  // namespace weft::WEFT_ISA
