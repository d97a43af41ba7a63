// √Σ x² over all tensors of a list. Each tile has a sum of its own; they are added in order, so the bits do not depend on the threads.
#include "global-norm.h"

#include <cmath>

#include "optimizer-lists.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t tileSize = 1 << 15;
constexpr int64_t chunkSize = 1024;

void globalNorm(Run& run) {
  const View& norm = run.output(0);
  if (norm.size != 1 || norm.dtype != DType::f32) fail("globalNorm: expected one f32 as output");
  const ListTiles tiles(run, 0, tileSize);
  double* sums = run.temporaryOf<double>(tiles.tiles());
  run.parallel(tiles.tiles(), [&](int64_t tile, int) {
    alignas(64) float buffer[chunkSize];
    double sum = 0;
    tiles.stretches(tile, [&](int tensor, int64_t begin, int64_t end) {
      const View& x = run.input(0, tensor);
      const int64_t step = x.dtype == DType::f32 ? end - begin : chunkSize;
      for (int64_t at = begin; at < end; at += step) {
        const int64_t count = min(step, end - at);
        sum += sumOfSquares(asFloats(x, at, count, buffer), count);
      }
    });
    sums[tile] = sum;
  });
  double total = 0;
  for (int64_t tile = 0; tile < tiles.tiles(); tile++) total += sums[tile];
  *norm.as<float>() = static_cast<float>(std::sqrt(total));
}

WEFT_KERNEL("globalNorm", globalNorm)

}  // namespace
}  // namespace weft::WEFT_ISA
