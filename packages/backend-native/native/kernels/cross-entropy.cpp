// crossEntropy of logits in memory, and its gradient: one pass over the logits each.
#include "cross-entropy.h"

#include <type_traits>

namespace weft::WEFT_ISA {
namespace {

struct Loss {
  int64_t rows, classes;
  const int32_t* targets;
};

Loss checkedLoss(Run& run) {
  const View& logits = run.input(0);
  const View& targets = run.input(1);
  if (logits.rank != 2) fail("%s: expected logits [N, V], got rank %d", run.operation(), logits.rank);
  if (targets.dtype != DType::i32 || targets.size != logits.dims[0]) fail("%s: expected targets [N] of dtype i32", run.operation());
  return {logits.dims[0], logits.dims[1], targets.as<int32_t>()};
}

float* perRow(Run& run, const View& view, int64_t rows) {
  if (view.dtype != DType::f32 || view.size != rows) fail("%s: expected one f32 a row", run.operation());
  return view.as<float>();
}

int64_t lossGrain(int64_t classes) { return max<int64_t>(1, (1 << 15) / max<int64_t>(1, classes)); }

void crossEntropy(Run& run) {
  const auto [rows, classes, targets] = checkedLoss(run);
  const View& logits = run.input(0);
  Attributes attributes = run.attributes();
  const LossOptions options = lossOptions(attributes);
  float* losses = perRow(run, run.output(0), rows);
  float* logSumExps = run.outputs() > 1 ? perRow(run, run.output(1), rows) : nullptr;
  withFloatType(logits.dtype, run.operation(), [&, rows = rows, classes = classes, targets = targets](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    run.parallelRanges(rows, lossGrain(classes), [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; i++) {
        const T* z = logits.as<T>() + i * classes;
        const int32_t target = targets[i];
        const bool counts = target != options.ignoreIndex;
        RowLoss row;
        if (counts) addLogits(row, z, classes);
        if (target >= 0 && target < classes) row.target = loadAs(z + target, 1)[0];
        const float logSumExp = counts ? logSumExpOf(row) : noLogSumExp;
        losses[i] = counts ? lossOf(options, row, logSumExp, classes) : 0;
        if (logSumExps != nullptr) logSumExps[i] = logSumExp;
      }
    });
  });
}

template <class T> void gradientRow(const RowGradient& row, const T* z, T* out, int64_t classes, int32_t target) {
  int64_t i = 0;
  for (; i + VW <= classes; i += VW) storeAs(out + i, logitGradient(row, loadAs(z + i, VW)), VW);
  if (i < classes) {
    const int n = static_cast<int>(classes - i);
    storeAs(out + i, logitGradient(row, loadAs(z + i, n)), n);
  }
  if (target < 0 || target >= classes) return;
  storeAs(out + target, logitGradient(row, loadAs(z + target, 1)) + row.atTarget, 1);
}

void crossEntropyBackward(Run& run) {
  const auto [rows, classes, targets] = checkedLoss(run);
  const View& logits = run.input(0);
  const View& out = run.output(0);
  if (out.dtype != logits.dtype || out.size != logits.size) fail("crossEntropyBackward: expected an output like the logits");
  const float* logSumExps = perRow(run, run.input(2), rows);
  const float* gradients = perRow(run, run.input(3), rows);
  Attributes attributes = run.attributes();
  const LossOptions options = lossOptions(attributes);
  withFloatType(logits.dtype, run.operation(), [&, rows = rows, classes = classes, targets = targets](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    run.parallelRanges(rows, lossGrain(classes), [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; i++) {
        T* to = out.as<T>() + i * classes;
        if (targets[i] == options.ignoreIndex) memset(static_cast<void*>(to), 0, static_cast<size_t>(classes) * sizeof(T));
        else gradientRow(rowGradient(options, targets[i], classes, logSumExps[i], gradients[i]), logits.as<T>() + i * classes, to, classes, targets[i]);
      }
    });
  });
}

WEFT_KERNEL("crossEntropy", crossEntropy)
WEFT_KERNEL("crossEntropyBackward", crossEntropyBackward)

}  // namespace
}  // namespace weft::WEFT_ISA
