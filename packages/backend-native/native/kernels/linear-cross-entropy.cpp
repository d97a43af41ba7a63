// linearCrossEntropy: the loss of a language model's head. The logits of a chunk go through their rows' running log-sum-exp while they are
// in the caches; nothing of size [N, V] is ever in memory.
#include "linear-cross-entropy.h"

namespace weft::WEFT_ISA {
namespace {

void capLogits(float* z, int64_t size, float softcap) {
  for (int64_t i = 0; i < size; i += VW) {
    const int n = static_cast<int>(min<int64_t>(VW, size - i));
    storeAs(z + i, vtanh(loadAs(z + i, n) * (1 / softcap)) * softcap, n);
  }
}

void addChunk(Run& run, const LossHead& head, const Chunk& chunk, float* logits, RowLoss* rows) {
  run.parallelRanges(chunk.rows, rowGrain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) {
      RowLoss& row = rows[chunk.row + i];
      float* z = logits + i * logitStride;
      if (head.softcap != 0) capLogits(z, chunk.classes, head.softcap);
      addLogits(row, z, chunk.classes);
      const int64_t target = head.targets[head.place(chunk.row + i)] - chunk.first;
      if (target >= 0 && target < chunk.classes) row.target = z[target];
    }
  });
}

float* rowOutput(const View& view, int64_t rows) {
  if (view.dtype != DType::f32 || view.size != rows) fail("linearCrossEntropy: expected outputs of one f32 a row");
  return view.as<float>();
}

void linearCrossEntropy(Run& run) {
  Attributes attributes = run.attributes();
  const LossHead head = lossHead(run, attributes);
  const int64_t all = run.input(2).size;
  float* losses = rowOutput(run.output(0), all);
  float* logSumExps = run.outputs() > 1 ? rowOutput(run.output(1), all) : nullptr;
  RowLoss* rows = run.temporaryOf<RowLoss>(head.rows);
  for (int64_t i = 0; i < head.rows; i++) rows[i] = RowLoss{};
  float* logits = chunkMemory(run, head);
  eachChunk(
      head,
      [&](const Chunk& chunk) {
        chunkLogits(run, head, chunk, logits);
        addChunk(run, head, chunk, logits, rows);
      },
      [](const Chunk&) {});

  for (int64_t i = 0; head.rows < all && i < all; i++) {
    losses[i] = 0;
    if (logSumExps != nullptr) logSumExps[i] = noLogSumExp;
  }
  for (int64_t i = 0; i < head.rows; i++) {
    const float logSumExp = logSumExpOf(rows[i]);
    losses[head.place(i)] = lossOf(head.options, rows[i], logSumExp, head.classes);
    if (logSumExps != nullptr) logSumExps[head.place(i)] = logSumExp;
  }
}

WEFT_KERNEL("linearCrossEntropy", linearCrossEntropy)

}  // namespace
}  // namespace weft::WEFT_ISA
