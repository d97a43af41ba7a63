// Asks for a panel of b ahead of time, a few cache lines with each tile before it: its rows lie too far apart for the processor to guess.
#pragma once
#include "gemm-plan.h"

namespace weft::WEFT_ISA {

class PanelPrefetch {
 public:
  /** Of columns `column` … and one chunk, to be spread over `tiles` calls of `next`. */
  PanelPrefetch(const PackSource& b, int64_t step, int64_t steps, int64_t column, int columns, int64_t tiles) {
    const int64_t bytes = bytesPerElement(b.dtype);
    const int64_t from = b.kind == StepKind::pairs ? 2 * step : step;
    const int64_t count = min(b.kind == StepKind::pairs ? 2 * steps : steps, b.size - from);
    const bool isAlongK = b.kStride == 1;
    data_ = static_cast<const char*>(b.data) + (column * b.indexStride + from * b.kStride) * bytes;
    runStride_ = (isAlongK ? b.indexStride : b.kStride) * bytes;
    linesOfRun_ = ceilDiv((isAlongK ? count : columns) * bytes, line);
    runs_ = isAlongK ? columns : count;
    runsAtOnce_ = ceilDiv(runs_, max<int64_t>(1, tiles));
  }
  PanelPrefetch() = default;

  WEFT_INLINE void next() {
    for (int64_t end = min(runs_, run_ + runsAtOnce_); run_ < end; run_++)
      for (int64_t i = 0; i < linesOfRun_; i++) __builtin_prefetch(data_ + run_ * runStride_ + i * line, 0, 2);
  }

 private:
  static constexpr int64_t line = 64;
  const char* data_ = nullptr;
  int64_t runStride_ = 0, linesOfRun_ = 0, runs_ = 0, runsAtOnce_ = 0, run_ = 0;
};

}  // namespace weft::WEFT_ISA
