// Gradients of linearCrossEntropy: a chunk's logits are computed again, become their gradient in place, and are multiplied with the
// weight and with the hidden states at once. Sums are in f32; panels of classes outside, blocks of rows inside, so that the sums of a
// panel of the weight are all that is ever held beside its gradient.
#include "linear-cross-entropy.h"

namespace weft::WEFT_ISA {
namespace {

/** What comes out of the backward pass; null: not wanted. */
struct Wanted {
  const View* hidden = nullptr;
  const View* weight = nullptr;
  const View* bias = nullptr;
};

Wanted wantedOf(Run& run, const LossHead& head, const Attributes::List& needs) {
  int next = 0;
  const auto take = [&](int input, int64_t size) -> const View* {
    if (input >= needs.count || needs[input] != 1) return nullptr;
    const View& output = run.output(next++);
    if (output.size != size || !isFloat(output.dtype)) fail("linearCrossEntropyBackward: expected gradients like hidden, weight and bias");
    return &output;
  };
  Wanted wanted;
  wanted.hidden = take(0, run.input(0).size);
  wanted.weight = take(1, run.input(1).size);
  wanted.bias = take(3, head.classes);
  return wanted;
}

const float* rowInput(Run& run, int slot) {
  const View& view = run.input(slot);
  if (view.dtype != DType::f32 || view.size != run.input(2).size) fail("linearCrossEntropyBackward: expected one f32 a row");
  return view.as<float>();
}

RowGradient* rowGradients(Run& run, const LossHead& head) {
  const float* logSumExps = rowInput(run, 4);
  const float* gradients = rowInput(run, 5);
  RowGradient* rows = run.temporaryOf<RowGradient>(head.rows);
  for (int64_t i = 0; i < head.rows; i++) {
    const int64_t place = head.place(i);
    rows[i] = rowGradient(head.options, head.targets[place], head.classes, logSumExps[place], gradients[place]);
  }
  return rows;
}

/** Gradients of what the product gave, before scale and soft cap: `logits` in, `out` of type T out, which may be the same memory. */
template <class T> void gradientRow(const LossHead& head, const RowGradient& row, const float* logits, T* out, int64_t classes, int64_t target) {
  const auto at = [&](int64_t i, int n, float more) {
    vf z = loadAs(logits + i, n);
    vf slope = splat(head.scale);
    if (head.softcap != 0) {
      const vf t = vtanh(z * (1 / head.softcap));
      z = t * head.softcap;
      slope *= 1.0f - t * t;
    }
    return (logitGradient(row, z) + more) * slope;
  };
  const bool hasTarget = target >= 0 && target < classes;
  const vf ofTarget = hasTarget ? at(target, 1, row.atTarget) : vf{};
  int64_t i = 0;
  for (; i + VW <= classes; i += VW) storeAs(out + i, at(i, VW, 0), VW);
  if (i < classes) storeAs(out + i, at(i, static_cast<int>(classes - i), 0), static_cast<int>(classes - i));
  if (hasTarget) storeAs(out + target, ofTarget, 1);
}

template <class T> void chunkGradients(Run& run, const LossHead& head, const Chunk& chunk, const RowGradient* rows, const float* logits, T* out) {
  run.parallelRanges(chunk.rows, rowGrain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t row = chunk.row + i;
      gradientRow(head, rows[row], logits + i * logitStride, out + i * logitStride, chunk.classes, head.targets[head.place(row)] - chunk.first);
    }
  });
}

/** sums[j] (+)= Σ over the chunk's rows. */
template <class T> void addColumns(Run& run, const Chunk& chunk, const T* gradients, float* sums) {
  run.parallelRanges(chunk.classes, 8 * VW, [&](int64_t begin, int64_t end, int) {
    for (int64_t j = begin; j < end; j += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, end - j));
      vf sum = {};
      for (int64_t i = 0; i < chunk.rows; i++) sum += loadAs(gradients + i * logitStride + j, n);
      storeAs(sums + j, chunk.row == 0 ? sum : loadAs(sums + j, n) + sum, n);
    }
  });
}

/** Row i of `sums` [rows, size] as row place(i) of `out`, from row `first` on. */
template <class F> void storeRows(Run& run, const View& out, int64_t first, const float* sums, int64_t rows, int64_t size, const F& place) {
  withFloatType(out.dtype, run.operation(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    run.parallelRanges(rows, max<int64_t>(1, (1 << 15) / max<int64_t>(1, size)), [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++)
        for (int64_t i = 0; i < size; i += VW) {
          const int n = static_cast<int>(min<int64_t>(VW, size - i));
          storeAs(out.as<T>() + (first + place(row)) * size + i, loadAs(sums + row * size + i, n), n);
        }
    });
  });
}

void clear(const View& out) { memset(out.data, 0, static_cast<size_t>(out.size * bytesPerElement(out.dtype))); }

/** The gradient of the logits as the two products see it. */
struct LogitGradients {
  void* data;
  DType dtype;
};

void multiplyWithWeight(Run& run, const LossHead& head, const Chunk& chunk, const LogitGradients& gradients, float* hiddenSums) {
  Gemm call{.m = chunk.rows, .n = head.features, .k = chunk.classes, .a = {gradients.data, gradients.dtype, logitStride, 1}, .b = rowsFrom(head.weight, chunk.first)};
  call.c = hiddenSums + chunk.row * head.features;
  call.cStride = head.features;
  call.accumulate = chunk.first > 0;
  gemm(run, call);
}

void multiplyWithHidden(Run& run, const LossHead& head, const Chunk& chunk, const LogitGradients& gradients, float* panelSums) {
  Gemm call{.m = chunk.classes, .n = head.features, .k = chunk.rows, .a = {gradients.data, gradients.dtype, 1, logitStride}, .b = rowsFrom(head.hidden, chunk.row)};
  call.c = panelSums;
  call.cStride = head.features;
  call.accumulate = chunk.row > 0;
  gemm(run, call);
}

void linearCrossEntropyBackward(Run& run) {
  Attributes attributes = run.attributes();
  const LossHead head = lossHead(run, attributes);
  const Wanted wanted = wantedOf(run, head, attributes.list());
  const RowGradient* rows = rowGradients(run, head);
  if (head.rows == 0 || head.classes == 0) {
    for (int i = 0; i < run.outputs(); i++) clear(run.output(i));
    return;
  }
  // Between bf16 matrices the gradient is bf16 too: both products then run at the speed of that type.
  const bool isNarrow = head.hidden.dtype == DType::bf16 && head.weight.dtype == DType::bf16;
  float* logits = chunkMemory(run, head);
  Bf16* narrow = isNarrow ? run.temporaryOf<Bf16>(min(chunkRows, head.rows) * logitStride) : nullptr;
  const LogitGradients gradients = isNarrow ? LogitGradients{narrow, DType::bf16} : LogitGradients{logits, DType::f32};

  const bool hiddenInPlace = wanted.hidden != nullptr && wanted.hidden->dtype == DType::f32 && head.places == nullptr;
  float* hiddenSums = wanted.hidden == nullptr ? nullptr : hiddenInPlace ? wanted.hidden->as<float>() : run.temporaryOf<float>(head.rows * head.features);
  const bool weightInPlace = wanted.weight != nullptr && wanted.weight->dtype == DType::f32;
  float* panelSums = wanted.weight == nullptr || weightInPlace ? nullptr : run.temporaryOf<float>(panelClasses * head.features);
  float* biasSums = wanted.bias == nullptr ? nullptr : run.temporaryOf<float>(panelClasses);

  const auto body = [&](const Chunk& chunk) {
    chunkLogits(run, head, chunk, logits);
    if (isNarrow) chunkGradients(run, head, chunk, rows, logits, narrow);
    else chunkGradients(run, head, chunk, rows, logits, logits);
    if (hiddenSums != nullptr) multiplyWithWeight(run, head, chunk, gradients, hiddenSums);
    if (wanted.weight != nullptr) multiplyWithHidden(run, head, chunk, gradients, weightInPlace ? wanted.weight->as<float>() + chunk.first * head.features : panelSums);
    if (biasSums != nullptr && isNarrow) addColumns(run, chunk, narrow, biasSums);
    if (biasSums != nullptr && !isNarrow) addColumns(run, chunk, logits, biasSums);
  };
  const auto afterPanel = [&](const Chunk& chunk) {
    const auto inOrder = [](int64_t i) { return i; };
    if (panelSums != nullptr) storeRows(run, *wanted.weight, chunk.first, panelSums, chunk.classes, head.features, inOrder);
    if (biasSums != nullptr) storeRows(run, *wanted.bias, chunk.first, biasSums, chunk.classes, 1, inOrder);
  };
  eachChunk(head, body, afterPanel);
  if (wanted.hidden == nullptr || hiddenInPlace) return;
  if (head.places != nullptr) clear(*wanted.hidden);
  storeRows(run, *wanted.hidden, 0, hiddenSums, head.rows, head.features, [&](int64_t i) { return head.place(i); });
}

WEFT_KERNEL("linearCrossEntropyBackward", linearCrossEntropyBackward)

}  // namespace
}  // namespace weft::WEFT_ISA
