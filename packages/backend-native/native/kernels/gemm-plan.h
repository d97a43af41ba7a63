// How one product is carried out: how its operands are read, and into which parts it falls. None of it changes a sum.
#pragma once
#include "gemm-pack.h"

namespace weft::WEFT_ISA {

/** Rows of a as tiles: tile t begins at data + t · tileStep; its element (i, p) lies as `form` says. In 32-bit steps. */
struct TiledRows {
  AForm form;
  const float* data;
  int64_t stride, tileStep;
};

struct GemmPlan {
  StepKind kind;
  int64_t steps;     // of k
  int rowsPerTile;   // rows are spread evenly over tiles, so that none is left with a row or two
  int64_t rowTiles;
  int64_t panels;    // of tileColumns
  bool packsRows;    // else `rows` points into a itself
  TiledRows rows;
  bool packsColumns; // else full panels are read from b itself
  bool isWide;       // few rows, and b is read where it lies: wide tiles
  PackSource rowSource, columnSource;
  double packingInTiles;  // what a unit's packing of a panel costs, in products of a tile with it
  double nanoseconds;     // a guess of what all of it takes on one thread
};

GemmPlan planGemm(const Gemm& call);

/** Tiles of rows and panels of columns that one worker takes at a time. */
struct GemmGrid {
  int64_t rowTiles, panels;  // of one unit
  int64_t down, across;      // units
};

/** @param wanted how many units there should be, at least one. */
GemmGrid gridFor(const GemmPlan& plan, int threads, int64_t wanted);

/** How many units are worth it for a product on its own. */
int64_t unitsWanted(double nanoseconds, int threads);

}  // namespace weft::WEFT_ISA
