// The register tiles for each number of rows.
#include "gemm-tiles.h"

namespace weft::WEFT_ISA {
namespace {

template <AForm form, int R> TileProduct pick(int rows) {
  if constexpr (R == 1) return tileProduct<1, form>;
  else return rows == R ? tileProduct<R, form> : pick<form, R - 1>(rows);
}

}  // namespace

TileProduct tileProductFor(AForm form, int rows) { return form == AForm::panel ? pick<AForm::panel, tileRows>(rows) : pick<AForm::rows, tileRows>(rows); }

}  // namespace weft::WEFT_ISA
