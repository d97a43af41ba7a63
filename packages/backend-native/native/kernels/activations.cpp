// gelu, silu, sigmoid, relu, and the gated pairs swiGlu and geGlu: activation(gate) · up.
#include "activations.h"

#include "activations-map.h"

namespace weft::WEFT_ISA {
namespace {

template <class F> void activate(Run& run) {
  mapFloats<1>(run, [](const vf (&x)[1]) { return F::value(x[0]); });
}

template <class F> void gate(Run& run) {
  mapFloats<2>(run, [](const vf (&x)[2]) { return F::value(x[0]) * x[1]; });
}

bool isTanh(Run& run) { return run.attributes().integer() == 1; }

void gelu(Run& run) { isTanh(run) ? activate<GeluTanh>(run) : activate<GeluExact>(run); }
void geGlu(Run& run) { isTanh(run) ? gate<GeluTanh>(run) : gate<GeluExact>(run); }

WEFT_KERNEL("gelu", gelu)
WEFT_KERNEL("silu", activate<Silu>)
WEFT_KERNEL("sigmoid", activate<Sigmoid>)
WEFT_KERNEL("relu", activate<Relu>)
WEFT_KERNEL("swiGlu", gate<Silu>)
WEFT_KERNEL("geGlu", geGlu)

}  // namespace
}  // namespace weft::WEFT_ISA
