// The backward pass of attention: what its parts need, and the gradient of the sinks.
#include <type_traits>

#include "attention-gradient.h"
#include "attention-math.h"

namespace weft::WEFT_ISA {
namespace {

template <class T> float product(const T* a, const T* b, int64_t size) {
  vf even = {}, odd = {};
  int64_t i = 0;
  for (; i + 2 * VW <= size; i += 2 * VW) {
    even = multiplyAdd(loadAs(a + i, VW), loadAs(b + i, VW), even);
    odd = multiplyAdd(loadAs(a + i + VW, VW), loadAs(b + i + VW, VW), odd);
  }
  for (; i < size; i += VW) {
    const int n = static_cast<int>(min<int64_t>(VW, size - i));
    even = multiplyAdd(loadAs(a + i, n), loadAs(b + i, n), even);
  }
  return sumLanes(even + odd);
}

/** [B, H, Tq]: the output times its gradient, summed over a head. */
const float* alongOutput(Run& run, const AttentionCall& call, const View& output, const View& gradient) {
  float* along = run.temporaryOf<float>(max<int64_t>(1, call.B * call.H * call.Tq));
  withFloatType(output.dtype, run.operation(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const int64_t work = max<int64_t>(1, call.H * call.Dv);
    run.parallelRanges(call.B * call.Tq, max<int64_t>(1, (1 << 16) / work), [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t b = row / call.Tq, t = row % call.Tq;
        for (int64_t h = 0; h < call.H; h++) {
          const int64_t place = (row * call.H + h) * call.Dv;
          along[(b * call.H + h) * call.Tq + t] = product(output.as<T>() + place, gradient.as<T>() + place, call.Dv);
        }
      }
    });
  });
  return along;
}

/** −Σ e^(sink − logSumExp) · along, over the batch and the queries. */
float gradientOfSink(const AttentionGradients& all, int64_t head) {
  const AttentionCall& call = all.call;
  const vf sink = splat(call.sinks[head] * log2OfE);
  vf sum = {};
  for (int64_t b = 0; b < call.B; b++) {
    const int64_t row = (b * call.H + head) * call.Tq;
    for (int64_t t = 0; t < call.Tq; t += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, call.Tq - t));
      const vf share = vexp2(sink - loadAs(all.logSumExp + row + t, n) * log2OfE);
      const vf term = share * loadAs(all.along + row + t, n);
      vf kept = term;
      for (int i = n; i < VW; i++) kept[i] = 0;
      sum += kept;
    }
  }
  return -sumLanes(sum);
}

void sinkGradients(Run& run, const AttentionGradients& all) {
  const AttentionCall& call = all.call;
  float* sums = run.temporaryOf<float>(call.H);
  run.parallelRanges(call.H, max<int64_t>(1, (1 << 15) / max<int64_t>(1, call.B * call.Tq)), [&](int64_t begin, int64_t end, int) {
    for (int64_t head = begin; head < end; head++) sums[head] = gradientOfSink(all, head);
  });
  const View& out = *all.of[sinkSlot];
  withFloatType(out.dtype, run.operation(), [&](auto* type) {
    auto* to = out.as<std::remove_pointer_t<decltype(type)>>();
    for (int64_t h = 0; h < call.H; h += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, call.H - h));
      storeAs(to + h, loadAs(sums + h, n), n);
    }
  });
}

/** Which outputs there are, by input slot; each has the shape and dtype of its input. */
void readNeeds(Run& run, Attributes& attributes, AttentionGradients& all) {
  const Attributes::List needs = attributes.list();
  if (needs.count > sinkSlot + 1) fail("attentionBackward: expected needs of %d inputs or less, got %lld", sinkSlot + 1, static_cast<long long>(needs.count));
  int output = 0;
  for (int slot = 0; slot < needs.count; slot++) {
    if (needs[slot] != 1) continue;
    if (slot >= queryPositionSlot && slot <= keySegmentSlot) fail("attentionBackward: positions and segments have no gradient");
    const View& out = run.output(output++);
    const View& input = run.input(slot);
    if (!out.sameShape(input) || out.dtype != input.dtype) fail("attentionBackward: a gradient has not the shape and dtype of its input");
    all.of[slot] = &out;
  }
}

void attentionBackward(Run& run) {
  Attributes attributes = run.attributes();
  AttentionGradients all{};
  all.call = attentionCall(run, attributes);
  const AttentionCall& call = all.call;
  const View& output = run.input(outputSlot);
  all.gradient = &run.input(gradientSlot);
  requireHeads(run, "output", output, call.B, call.Tq, call.H, call.Dv);
  requireHeads(run, "gradient", *all.gradient, call.B, call.Tq, call.H, call.Dv);
  if (output.dtype != all.gradient->dtype) fail("attentionBackward: expected output and gradient of one dtype");
  all.logSumExp = attentionStatistic(run, call, run.input(logSumExpSlot));
  readNeeds(run, attributes, all);
  all.copiesKeys = isKeyCopyNeeded(*call.k);
  all.copiesValues = isKeyCopyNeeded(*call.v);
  if (all.needsScores() || all.of[biasSlot] != nullptr || all.of[sinkSlot] != nullptr) all.along = alongOutput(run, call, output, *all.gradient);
  if (all.needsScores() || all.of[valueSlot] != nullptr) attentionTokenGradients(run, all);
  if (all.of[biasSlot] != nullptr) attentionBiasGradient(run, all);
  if (all.of[sinkSlot] != nullptr) sinkGradients(run, all);
}

WEFT_KERNEL("attentionBackward", attentionBackward)

}  // namespace
}  // namespace weft::WEFT_ISA
