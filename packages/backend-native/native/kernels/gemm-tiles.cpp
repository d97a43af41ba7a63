// The register tiles for every number of rows and columns, in both forms of a and both kinds of step.
#include "gemm-tiles.h"

namespace weft::WEFT_ISA {
namespace {

struct Floats {
  static WEFT_INLINE vf step(vf row, vf columns, vf sums) { return multiplyAdd(row, columns, sums); }
};

#if WEFT_LEVEL == 2
/** Written out: the compiler offers the instruction only where the whole function may need a processor that has it. */
struct Pairs {
  static WEFT_INLINE vf step(vf row, vf columns, vf sums) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sums) : "v"(row), "v"(columns));
    return sums;
  }
};
#endif

template <class Kind, AForm form, int rows, int vectors>
void tileProduct(int64_t steps, const float* a, int64_t aStride, const float* b, int64_t bStride, float* d, int64_t dStride, TileTarget target) {
  vf sums[rows][vectors] = {};
  for (int64_t p = 0; p < steps; p++) {
    vf columns[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) columns[v] = load(b + v * VW);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
      const vf row = splat(form == AForm::panel ? a[i] : a[i * aStride]);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++) sums[i][v] = Kind::step(row, columns[v], sums[i][v]);
    }
    a += form == AForm::panel ? aStride : 1;
    b += bStride;
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
      float* at = d + i * dStride + v * VW;
      store(at, target == TileTarget::add ? load(at) + sums[i][v] : sums[i][v]);
    }
  }
}

template <class Kind, AForm form, int vectors, int most> TileProduct byRows(int rows) {
  if constexpr (most == 1) return tileProduct<Kind, form, 1, vectors>;
  else return rows == most ? tileProduct<Kind, form, most, vectors> : byRows<Kind, form, vectors, most - 1>(rows);
}

template <class Kind, AForm form> TileProduct pick(int rows, int vectors) {
  if (vectors == wideVectors) return byRows<Kind, form, wideVectors, wideRows>(rows);
  return vectors == 1 ? byRows<Kind, form, 1, tileRows>(rows) : byRows<Kind, form, tileVectors, tileRows>(rows);
}

template <class Kind> TileProduct pick(AForm form, int rows, int vectors) {
  return form == AForm::panel ? pick<Kind, AForm::panel>(rows, vectors) : pick<Kind, AForm::rows>(rows, vectors);
}

}  // namespace

TileProduct tileProductFor(StepKind kind, AForm form, int rows, int vectors) {
#if WEFT_LEVEL == 2
  if (kind == StepKind::pairs) return pick<Pairs>(form, rows, vectors);
#endif
  (void)kind;
  return pick<Floats>(form, rows, vectors);
}

}  // namespace weft::WEFT_ISA
