#include "gemm-plan.h"

namespace weft::WEFT_ISA {
namespace {

// Guesses that only decide how work is cut up.
constexpr double flopsPerNanosecond = WEFT_LEVEL == 2 ? 200 : WEFT_LEVEL == 1 ? 90 : 30;
constexpr double bytesPerNanosecond = 15;
/** Below, a second thread costs more than it brings. */
constexpr double worthSharing = 6000;
constexpr double unitNanoseconds = 15000;
constexpr int unitsPerThread = 8;
/** Who loses his core in the middle of a unit holds up the others for no longer than this, or nearly. */
constexpr double longestUnit = 500000;

/** So many rows of a come from the third-level cache as fast as the tiles take them; each panel of b is packed once for them. */
constexpr int64_t rowsPerUnit = 2048;

/** From so many rows on, packing b costs nothing to speak of, and frees the tiles from its strides. */
constexpr int64_t packedFrom = WEFT_LEVEL == 2 ? 768 : 192;
/** Rows of b so far apart that they fall on the same lines of a cache. */
constexpr int64_t badStride = 1024;
constexpr int64_t packedFromAtBadStride = 96;

WEFT_INLINE bool isFloat(DType dtype) { return dtype == DType::f32; }

/** Whether pairs of bfloat16 can be multiplied as they are. */
bool usesPairs(const Gemm& call) {
  return WEFT_LEVEL == 2 && cpuFeatures().avx512Bf16 && call.source == nullptr && call.a.dtype == DType::bf16 && call.b.dtype == DType::bf16;
}

/** Where the tile can read a itself, and how. */
bool readsRowsInPlace(const Gemm& call, GemmPlan& plan) {
  const MatrixRef& a = call.a;
  const float* data = static_cast<const float*>(a.data);
  const int width = plan.rowsPerTile;
  if (plan.kind == StepKind::pairs) {
    if (a.columnStride != 1 || a.rowStride % 2 != 0 || call.k % 2 != 0 || reinterpret_cast<uintptr_t>(a.data) % 4 != 0) return false;
    plan.rows = {AForm::rows, data, a.rowStride / 2, a.rowStride / 2 * width};
    return true;
  }
  if (!isFloat(a.dtype)) return false;
  if (a.columnStride == 1) plan.rows = {AForm::rows, data, a.rowStride, a.rowStride * width};
  else if (a.rowStride == 1) plan.rows = {AForm::panel, data, a.columnStride, width};
  else return false;
  return true;
}

bool packsColumns(const Gemm& call, StepKind kind) {
  if (call.source != nullptr || kind == StepKind::pairs || !isFloat(call.b.dtype) || call.b.columnStride != 1) return true;
  return call.m >= packedFrom || (call.m >= packedFromAtBadStride && call.b.rowStride % badStride == 0);
}

}  // namespace

GemmPlan planGemm(const Gemm& call) {
  GemmPlan plan{};
  plan.kind = usesPairs(call) ? StepKind::pairs : StepKind::floats;
  plan.steps = plan.kind == StepKind::pairs ? ceilDiv(call.k, 2) : call.k;
  plan.rowTiles = ceilDiv(call.m, tileRows);
  plan.rowsPerTile = static_cast<int>(ceilDiv(call.m, plan.rowTiles));
  plan.rowTiles = ceilDiv(call.m, plan.rowsPerTile);
  plan.panels = ceilDiv(call.n, tileColumns);
  plan.packsRows = !readsRowsInPlace(call, plan);
  plan.packsColumns = packsColumns(call, plan.kind);
  plan.packingInTiles = call.source != nullptr ? 4 : plan.packsColumns ? 0.5 : 0.02;
  plan.isWide = !plan.packsColumns && call.m <= wideRows;
  plan.rowSource = {call.a.data, call.a.dtype, call.a.rowStride, call.a.columnStride, call.k, plan.kind};
  plan.columnSource = {call.b.data, call.b.dtype, call.b.columnStride, call.b.rowStride, call.k, plan.kind};
  const double elements = static_cast<double>(call.n) * static_cast<double>(call.k);
  plan.nanoseconds = 2 * static_cast<double>(call.m) * elements / flopsPerNanosecond + 4 * elements / bytesPerNanosecond;
  return plan;
}

int64_t unitsWanted(double nanoseconds, int threads) {
  if (threads == 1 || nanoseconds < worthSharing) return 1;
  const double most = max(static_cast<double>(threads) * unitsPerThread, nanoseconds / longestUnit);
  const double units = min(nanoseconds / unitNanoseconds, most);
  return static_cast<int64_t>(max<double>(units, threads));
}

GemmGrid gridFor(const GemmPlan& plan, int threads, int64_t wanted) {
  const int64_t leastDown = ceilDiv(plan.rowTiles * plan.rowsPerTile, rowsPerUnit);
  GemmGrid best{};
  double bestCost = 0;
  const int64_t most = min(plan.panels, wanted);
  for (int64_t across = max<int64_t>(1, most - 7); across <= most; across++) {
    GemmGrid grid{};
    grid.panels = ceilDiv(plan.panels, across);
    grid.across = ceilDiv(plan.panels, grid.panels);
    grid.rowTiles = ceilDiv(plan.rowTiles, min(plan.rowTiles, max(leastDown, ceilDiv(wanted, grid.across))));
    grid.down = ceilDiv(plan.rowTiles, grid.rowTiles);
    const double rounds = static_cast<double>(ceilDiv(grid.across * grid.down, static_cast<int64_t>(threads)));
    const double cost = rounds * static_cast<double>(grid.panels) * (static_cast<double>(grid.rowTiles) + plan.packingInTiles);
    if (bestCost == 0 || cost < bestCost) {
      best = grid;
      bestCost = cost;
    }
  }
  return best;
}

}  // namespace weft::WEFT_ISA
