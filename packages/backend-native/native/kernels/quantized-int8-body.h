// The loops of the integer products, for the file that includes this: it says what multiplies four bytes (`Dot`) and with which instructions
// beyond the level's (WEFT_TARGET, an attribute of every function here that is not inline).
#pragma once
#include "quantized-expand.h"
#include "quantized-int8.h"

namespace weft::WEFT_ISA {
namespace {

/** What the loops over expanded blocks must know of a format. */
template <int halfCount, bool offsets, int quantBits> struct Kind {
  static constexpr int halves = halfCount;
  static constexpr bool hasOffset = offsets;
  static constexpr int bits = quantBits;
  static constexpr int vectors = subBlockWords + halves * (offsets ? 2 : 1);
};

template <class Format> using KindOf = Kind<Format::halves, Format::hasOffset, Dot::classOf(Format::bits)>;

/** How far ahead of its use a weight is asked for where it is streamed. */
constexpr int64_t prefetchBytes = 2560;
/** And where it is expanded: what the next two parts take, while these are worked on. */
constexpr int64_t mostPrefetchBytes = 64 << 10;

WEFT_INLINE vi fourQuants(const int8_t* quants) {
  int32_t word;
  memcpy(&word, quants, 4);
  return splatInt(word);
}

/** Adds what one sub-block gives to a sum, in the order that defines the result. */
template <class K> WEFT_INLINE vf addSubBlock(vf sum, int half, vi dot, vf scale, vf offset, const ActivationBlock& x) {
  sum = multiplyAdd(__builtin_convertvector(dot, vf) * splat(x.step), scale, sum);
  return K::hasOffset ? multiplyAdd(offset, splat(x.sums[half]), sum) : sum;
}

template <class K> WEFT_INLINE vi startOf(const ActivationBlock& x, int half) { return K::hasOffset ? vi{} : splatInt(x.starts[half]); }

template <class Format, int R> WEFT_TARGET void stream(const uint8_t* group, const uint8_t* end, int64_t blocks, int part, const ActivationBlock* x, int64_t stride, float* out) {
  using K = KindOf<Format>;
  constexpr int words = subBlockWords / K::halves;
  constexpr int lines = Format::layout.quantBytes() * groupRows / 64;
  constexpr int atOnce = R < 4 ? R : 4;  // sums in integers, besides those in float32
  PartOfGroup at = partOfGroup(Format::layout, blocks, group, part);
  vf sums[R] = {};
  for (int64_t block = 0; block < blocks; block++) {
    for (int j = 0; j < Format::subBlocks; j++, x += stride) {
      const uint8_t* ahead = min(at.quants + prefetchBytes, end - lines * 64);
#pragma GCC unroll 16
      for (int line = j * lines / Format::subBlocks; line < (j + 1) * lines / Format::subBlocks; line++) __builtin_prefetch(ahead + line * 64);
      vu quants[subBlockWords];
      SubBlockScales scales;
      Format::words(at.quants, j, quants);
      Format::scales(at.scales, j, part, scales);
#pragma GCC unroll 2
      for (int half = 0; half < K::halves; half++) {
        const vu* const columns[1] = {quants + half * words};
#pragma GCC unroll 2
        for (int first = 0; first < R; first += atOnce) {
          vi dots[1][atOnce];
#pragma GCC unroll 4
          for (int r = 0; r < atOnce; r++) dots[0][r] = startOf<K>(x[first + r], half);
          Dot::add<K::bits, words, 1, atOnce>(columns, x[first].quants + half * 16, dots);
#pragma GCC unroll 4
          for (int r = 0; r < atOnce; r++) sums[first + r] = addSubBlock<K>(sums[first + r], half, dots[0][r], scales.scale[half], scales.offset[half], x[first + r]);
        }
      }
    }
    at.quants += Format::layout.quantBytes() * groupRows;
    at.scales += Format::layout.scaleBytes() * groupRows;
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) store(out + r * groupRows, sums[r]);
}

template <class Format> WEFT_TARGET void expand(const uint8_t* group, int64_t blocks, int64_t from, int64_t to, int part, uint8_t* out) {
  using K = KindOf<Format>;
  const PartOfGroup at = partOfGroup(Format::layout, blocks, group, part);
  constexpr int lines = Format::layout.quantBytes() * groupRows / 64;
  const int64_t ahead = min(mostPrefetchBytes, max<int64_t>(tileOutputs, groupRows) * blocks * Format::layout.bytes);
  vu* vectors = reinterpret_cast<vu*>(out);
  for (int64_t s = from; s < to; s++, vectors += K::vectors) {
    const int64_t block = s / Format::subBlocks;
    const int j = static_cast<int>(s % Format::subBlocks);
    const uint8_t* next = at.quants + block * Format::layout.quantBytes() * groupRows + ahead;
#pragma GCC unroll 16
    for (int line = j * lines / Format::subBlocks; line < (j + 1) * lines / Format::subBlocks; line++) __builtin_prefetch(next + line * 64, 0, 2);
    vu quants[subBlockWords];
    SubBlockScales scales;
    Format::words(at.quants + block * Format::layout.quantBytes() * groupRows, j, quants);
    Format::scales(at.scales + block * Format::layout.scaleBytes() * groupRows, j, part, scales);
    for (int c = 0; c < subBlockWords; c++) vectors[c] = quants[c];
    for (int half = 0; half < K::halves; half++) {
      vectors[subBlockWords + half] = (vu)bitsOf(scales.scale[half]);
      if (K::hasOffset) vectors[subBlockWords + K::halves + half] = (vu)bitsOf(scales.offset[half]);
    }
  }
}

template <class K, int R> WEFT_TARGET void tile(const uint8_t* first, const uint8_t* second, int64_t subBlocks, const ActivationBlock* x, bool isFirst, float* out, int64_t stride) {
  constexpr int words = subBlockWords / K::halves;
  const vu* parts[2] = {reinterpret_cast<const vu*>(first), reinterpret_cast<const vu*>(second)};
  vf sums[2][R] = {};
  if (!isFirst) {
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
      sums[0][r] = load(out + r * stride);
      sums[1][r] = load(out + r * stride + VW);
    }
  }
  for (int64_t s = 0; s < subBlocks; s++, x += R) {
#pragma GCC unroll 2
    for (int half = 0; half < K::halves; half++) {
      vi dots[2][R];
#pragma GCC unroll 6
      for (int r = 0; r < R; r++) dots[0][r] = dots[1][r] = startOf<K>(x[r], half);
      const vu* const columns[2] = {parts[0] + half * words, parts[1] + half * words};
      Dot::add<K::bits, words, 2, R>(columns, x->quants + half * 16, dots);
#pragma GCC unroll 2
      for (int p = 0; p < 2; p++) {
        const vf scale = floatsOf((vi)parts[p][subBlockWords + half]);
        const vf offset = K::hasOffset ? floatsOf((vi)parts[p][subBlockWords + K::halves + half]) : vf{};
#pragma GCC unroll 6
        for (int r = 0; r < R; r++) sums[p][r] = addSubBlock<K>(sums[p][r], half, dots[p][r], scale, offset, x[r]);
      }
    }
    parts[0] += K::vectors;
    parts[1] += K::vectors;
  }
#pragma GCC unroll 6
  for (int r = 0; r < R; r++) {
    store(out + r * stride, sums[0][r]);
    store(out + r * stride + VW, sums[1][r]);
  }
}

template <class K, int R> void fillTiles(Int8Kernels& kernels) {
  kernels.tile[R - 1] = tile<K, R>;
  if constexpr (R > 1) fillTiles<K, R - 1>(kernels);
}

template <class Format, int log> void fillStreams(Int8Kernels& kernels) {
  kernels.stream[log] = stream<Format, 1 << log>;
  if constexpr (log > 0) fillStreams<Format, log - 1>(kernels);
}

template <class Format> Int8Kernels kernelsOf() {
  using K = KindOf<Format>;
  Int8Kernels kernels{{}, expand<Format>, K::vectors * static_cast<int64_t>(sizeof(vu)), {}};
  fillStreams<Format, rowsPerStreamLog>(kernels);
  fillTiles<K, rowsPerTile>(kernels);
  return kernels;
}

/** For each format, in the order of the enum. */
struct KernelTable {
  Int8Kernels kernels[quantizedFormatCount];
  KernelTable() {
    for (int format = 0; format < quantizedFormatCount; format++) {
      withFormat(static_cast<QuantizedFormat>(format), [&]<class Format>(Format) { kernels[format] = kernelsOf<Format>(); });
    }
  }
};

}  // namespace
}  // namespace weft::WEFT_ISA
