// Gradients of the activations, from x or from the output, and of the gated pairs, whose two gradients share one exponential.
#include <type_traits>

#include "activations.h"
#include "activations-map.h"

namespace weft::WEFT_ISA {
namespace {

template <class F> void fromInput(Run& run) {
  mapFloats<2>(run, [](const vf (&x)[2]) { return F::slope(x[0]).slope * x[1]; });
}

void sigmoidBackward(Run& run) {
  mapFloats<2>(run, [](const vf (&x)[2]) { return x[0] * (1.0f - x[0]) * x[1]; });
}

void reluBackward(Run& run) {
  mapFloats<2>(run, [](const vf (&x)[2]) { return select(x[0] > 0, x[1], vf{}); });
}

/** Inputs: gate, up, gradient. Outputs: those of gate and up that `needs` asks for. */
template <class F> void gatedBackward(Run& run, const Attributes::List& needs) {
  const bool needsGate = needs.count > 0 && needs[0] == 1;
  const bool needsUp = needs.count > 1 && needs[1] == 1;
  const View& gate = run.input(0);
  const View* ofGate = needsGate ? &run.output(0) : nullptr;
  const View* ofUp = needsUp ? &run.output(needsGate ? 1 : 0) : nullptr;
  for (int slot = 1; slot < 3; slot++) requireLike(run, run.input(slot), gate);
  for (int i = 0; i < run.outputs(); i++) requireLike(run, run.output(i), gate);
  withFloatType(gate.dtype, run.operation(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forVectors(run, gate.size, [&](int64_t i, int n) {
      const auto [value, slope] = F::slope(loadAs(gate.as<T>() + i, n));
      const vf gradient = loadAs(run.input(2).as<T>() + i, n);
      if (needsGate) storeAs(ofGate->as<T>() + i, slope * loadAs(run.input(1).as<T>() + i, n) * gradient, n);
      if (needsUp) storeAs(ofUp->as<T>() + i, value * gradient, n);
    });
  });
}

bool isTanh(Attributes& attributes) { return attributes.integer() == 1; }

void geluBackward(Run& run) {
  Attributes attributes = run.attributes();
  isTanh(attributes) ? fromInput<GeluTanh>(run) : fromInput<GeluExact>(run);
}

void swiGluBackward(Run& run) {
  Attributes attributes = run.attributes();
  gatedBackward<Silu>(run, attributes.list());
}

void geGluBackward(Run& run) {
  Attributes attributes = run.attributes();
  const Attributes::List needs = attributes.list();
  isTanh(attributes) ? gatedBackward<GeluTanh>(run, needs) : gatedBackward<GeluExact>(run, needs);
}

WEFT_KERNEL("geluBackward", geluBackward)
WEFT_KERNEL("siluBackward", fromInput<Silu>)
WEFT_KERNEL("sigmoidBackward", sigmoidBackward)
WEFT_KERNEL("reluBackward", reluBackward)
WEFT_KERNEL("swiGluBackward", swiGluBackward)
WEFT_KERNEL("geGluBackward", geGluBackward)

}  // namespace
}  // namespace weft::WEFT_ISA
