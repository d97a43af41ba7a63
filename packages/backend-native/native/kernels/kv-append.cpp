// New rows of keys or values into a cache, in place where the cache was given away; otherwise into a copy.
#include "isa.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t taskBytes = 1 << 18;

void copyBytes(Run& run, char* to, const char* from, int64_t bytes) {
  run.parallelRanges(bytes, taskBytes, [&](int64_t begin, int64_t end, int) { memcpy(to + begin, from + begin, static_cast<size_t>(end - begin)); });
}

/** cache [B, M, K, Dh], rows [B, T, K, Dh], attribute at [B] → the cache with rows[b] from at[b] on. */
void kvAppend(Run& run) {
  const View& cache = run.input(0);
  const View& rows = run.input(1);
  const View& out = run.output(0);
  Attributes attributes = run.attributes();
  const Attributes::List at = attributes.list();
  if (cache.rank != 4 || rows.rank != 4 || cache.dtype != rows.dtype || !out.sameShape(cache) || out.dtype != cache.dtype) fail("kvAppend: expected a cache and rows of rank 4 and one dtype");
  const int64_t B = cache.dims[0], M = cache.dims[1], T = rows.dims[1];
  if (rows.dims[0] != B || rows.dims[2] != cache.dims[2] || rows.dims[3] != cache.dims[3] || at.count != B) fail("kvAppend: the rows do not fit the cache");
  for (int64_t b = 0; b < B; b++)
    if (!(at.values[b] >= 0 && at.values[b] + static_cast<double>(T) <= static_cast<double>(M))) fail("kvAppend: rows from %g on do not fit into a cache of %lld", at.values[b], static_cast<long long>(M));
  const int64_t rowBytes = cache.dims[2] * cache.dims[3] * bytesPerElement(cache.dtype);
  if (rowBytes * B == 0) return;
  char* to = out.as<char>();
  if (out.data != cache.data) copyBytes(run, to, cache.as<char>(), B * M * rowBytes);
  const int64_t added = T * rowBytes;
  if (added == 0) return;
  run.parallelRanges(B, taskBytes / added, [&](int64_t begin, int64_t end, int) {
    for (int64_t b = begin; b < end; b++) memcpy(to + (b * M + at[b]) * rowBytes, rows.as<char>() + b * added, static_cast<size_t>(added));
  });
}

WEFT_KERNEL("kvAppend", kvAppend)

}  // namespace
}  // namespace weft::WEFT_ISA
