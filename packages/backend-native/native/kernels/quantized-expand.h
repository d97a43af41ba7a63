// From interleaved blocks to numbers: for each format, the quants of one sub-block of 32 columns as bytes (unsigned, four columns of a row
// in each 32-bit lane), and what turns them into values: value = (quant − zero) · scale + offset.
//
// Every product of a scale and a quant is exact in float32, so the values have the bits that ggml's formulas give, fused or not.
#pragma once
#include "quantized-format.h"

namespace weft::WEFT_ISA {

/** Words of a sub-block: word c holds columns 4c … 4c + 3. */
constexpr int subBlockWords = subBlockColumns / 4;
/** VW rows of a group are worked on at a time. */
constexpr int groupParts = groupRows / VW;

typedef uint32_t vuUnaligned __attribute__((vector_size(4 * VW), aligned(1), may_alias));

/** Scales and offsets of a sub-block; formats with sub-blocks of 16 have two of each, the others use the first. */
struct SubBlockScales {
  vf scale[2], offset[2];
};

/** Where the blocks of a group lie, seen from the rows of one part. */
struct PartOfGroup {
  const uint8_t* quants;
  const uint8_t* scales;
};

WEFT_INLINE PartOfGroup partOfGroup(const BlockLayout& layout, int64_t blocks, const uint8_t* group, int part) {
  return {group + part * VW * 4, group + blocks * layout.quantBytes() * groupRows};
}

namespace blocks {

WEFT_INLINE vu wordAt(const uint8_t* quants, int index) { return *reinterpret_cast<const vuUnaligned*>(quants + index * groupRows * 4); }
WEFT_INLINE vu bytesOf(uint32_t x) { return (vu)splatInt(static_cast<int32_t>(x * 0x01010101u)); }

/** Sixteen low halves, then sixteen high halves. */
WEFT_INLINE void nibbles(const uint8_t* quants, int first, vu words[subBlockWords]) {
  for (int c = 0; c < 4; c++) {
    const vu word = wordAt(quants, first + c);
    words[c] = word & bytesOf(15);
    words[c + 4] = (word >> 4) & bytesOf(15);
  }
}

/** `bits` bits at `shift` of eight words. */
WEFT_INLINE void fields(const uint8_t* quants, int first, int shift, uint32_t mask, vu words[subBlockWords]) {
  for (int c = 0; c < subBlockWords; c++) words[c] = (wordAt(quants, first + c) >> shift) & bytesOf(mask);
}

/** Puts the bits at `shift` of eight more words on top. */
WEFT_INLINE void addHighBits(const uint8_t* quants, int first, int shift, uint32_t mask, int position, vu words[subBlockWords]) {
  for (int c = 0; c < subBlockWords; c++) words[c] |= ((wordAt(quants, first + c) >> shift) & bytesOf(mask)) << position;
}

/** A fifth bit out of 32 that lie in one word, bit l for column l. */
WEFT_INLINE void addFifthBits(const uint8_t* quants, int index, vu words[subBlockWords]) {
  const vu bits = wordAt(quants, index);
  for (int c = 0; c < subBlockWords; c++) {
    const vu four = (bits >> (4 * c)) & (vu)splatInt(15);
    words[c] |= ((four | four << 7 | four << 14 | four << 21) & bytesOf(1)) << 4;
  }
}

/** Each byte's low four bits, looked up in sixteen bytes. */
WEFT_INLINE vu lookUp(const uint8_t book[16], vu codes) {
#if WEFT_LEVEL == 2
  return (vu)_mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(book))), (__m512i)codes);
#elif WEFT_LEVEL == 1
  return (vu)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(book))), (__m256i)codes);
#else
  typedef uint8_t v16 __attribute__((vector_size(16)));
  v16 table;
  memcpy(&table, book, 16);
#if defined(__clang__)
  v16 result;
  for (int i = 0; i < 16; i++) result[i] = table[((v16)codes)[i]];
  return (vu)result;
#else
  return (vu)__builtin_shuffle(table, (v16)codes);
#endif
#endif
}

WEFT_INLINE void lookUpAll(const uint8_t book[16], vu words[subBlockWords]) {
  for (int c = 0; c < subBlockWords; c++) words[c] = lookUp(book, words[c]);
}

/** Half-precision numbers at byte `at` · 16 of a block's scales. */
WEFT_INLINE vf halvesAt(const uint8_t* scales, int at, int part) { return loadAs<F16>(reinterpret_cast<const F16*>(scales + at * groupRows) + part * VW, VW); }

/** Bytes of a block's scales as numbers. Compilers take this widening apart, so it is said outright. */
WEFT_INLINE vi bytesAt(const uint8_t* scales, int at, int part) {
  const uint8_t* bytes = scales + at * groupRows + part * VW;
#if WEFT_LEVEL == 2
  return (vi)_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
#elif WEFT_LEVEL == 1
  return (vi)_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes)));
#elif defined(__x86_64__)
  return (vi)_mm_cvtepu8_epi32(_mm_loadu_si32(bytes));
#else
  vi numbers;
  for (int i = 0; i < VW; i++) numbers[i] = bytes[i];
  return numbers;
#endif
}

WEFT_INLINE vf floats(vi x) { return __builtin_convertvector(x, vf); }

/** What formats are made of: sizes, and how sub-block j of a block is read. `halves`: scales in a sub-block; `zero` is taken off quants. */
template <QuantizedFormat f, int halfCount, int zeroPoint, bool offsets, int quantBits> struct Format {
  static constexpr BlockLayout layout = blockLayouts[static_cast<int>(f)];
  static constexpr int subBlocks = layout.values / subBlockColumns;
  static constexpr int halves = halfCount;
  static constexpr int zero = zeroPoint;
  static constexpr bool hasOffset = offsets;
  static constexpr int bits = quantBits;  // of a quant before `zero` is taken off
};

struct Q8_0 : Format<QuantizedFormat::q8_0, 1, 128, false, 8> {
  static WEFT_INLINE void words(const uint8_t* quants, int, vu out[subBlockWords]) {
    for (int c = 0; c < subBlockWords; c++) out[c] = wordAt(quants, c) ^ bytesOf(128);
  }
  static WEFT_INLINE void scales(const uint8_t* at, int, int part, SubBlockScales& out) { out.scale[0] = halvesAt(at, 0, part); }
};

struct Q4_0 : Format<QuantizedFormat::q4_0, 1, 8, false, 4> {
  static WEFT_INLINE void words(const uint8_t* quants, int, vu out[subBlockWords]) { nibbles(quants, 0, out); }
  static WEFT_INLINE void scales(const uint8_t* at, int, int part, SubBlockScales& out) { out.scale[0] = halvesAt(at, 0, part); }
};

struct Q4_1 : Format<QuantizedFormat::q4_1, 1, 0, true, 4> {
  static WEFT_INLINE void words(const uint8_t* quants, int, vu out[subBlockWords]) { nibbles(quants, 0, out); }
  static WEFT_INLINE void scales(const uint8_t* at, int, int part, SubBlockScales& out) {
    out.scale[0] = halvesAt(at, 0, part);
    out.offset[0] = halvesAt(at, 2, part);
  }
};

struct Q5_0 : Format<QuantizedFormat::q5_0, 1, 16, false, 5> {
  static WEFT_INLINE void words(const uint8_t* quants, int, vu out[subBlockWords]) {
    nibbles(quants, 0, out);
    addFifthBits(quants, 4, out);
  }
  static WEFT_INLINE void scales(const uint8_t* at, int, int part, SubBlockScales& out) { out.scale[0] = halvesAt(at, 0, part); }
};

struct Q5_1 : Format<QuantizedFormat::q5_1, 1, 0, true, 5> {
  static WEFT_INLINE void words(const uint8_t* quants, int, vu out[subBlockWords]) {
    nibbles(quants, 0, out);
    addFifthBits(quants, 4, out);
  }
  static WEFT_INLINE void scales(const uint8_t* at, int j, int part, SubBlockScales& out) { Q4_1::scales(at, j, part, out); }
};

struct Q2_K : Format<QuantizedFormat::q2_k, 2, 0, true, 2> {
  static WEFT_INLINE void words(const uint8_t* quants, int j, vu out[subBlockWords]) { fields(quants, (j >> 2) * 8, 2 * (j & 3), 3, out); }
  static WEFT_INLINE void scales(const uint8_t* at, int j, int part, SubBlockScales& out) {
    const vf d = halvesAt(at, 0, part), minimum = halvesAt(at, 2, part);
    for (int half = 0; half < 2; half++) {
      const vi both = bytesAt(at, 4 + 2 * j + half, part);
      out.scale[half] = d * floats(both & 15);
      out.offset[half] = -(minimum * floats(both >> 4));
    }
  }
};

struct Q3_K : Format<QuantizedFormat::q3_k, 2, 4, false, 3> {
  static WEFT_INLINE void words(const uint8_t* quants, int j, vu out[subBlockWords]) {
    fields(quants, (j >> 2) * 8, 2 * (j & 3), 3, out);
    addHighBits(quants, 16, j, 1, 2, out);
  }
  static WEFT_INLINE void scales(const uint8_t* at, int j, int part, SubBlockScales& out) {
    const vf d = halvesAt(at, 0, part);
    for (int half = 0; half < 2; half++) {
      const int index = 2 * j + half;
      const vi low = (bytesAt(at, 2 + (index & 7), part) >> (4 * (index >> 3))) & 15;
      const vi high = (bytesAt(at, 10 + (index & 3), part) >> (2 * (index >> 2))) & 3;
      out.scale[half] = d * floats((low | high << 4) - 32);
    }
  }
};

/** Scale and minimum of six bits each, out of twelve bytes. */
WEFT_INLINE void sixBitScales(const uint8_t* at, int j, int part, SubBlockScales& out) {
  vi scale, minimum;
  if (j < 4) {
    scale = bytesAt(at, 4 + j, part) & 63;
    minimum = bytesAt(at, 8 + j, part) & 63;
  } else {
    const vi low = bytesAt(at, 8 + j, part);
    scale = (low & 15) | (bytesAt(at, j, part) >> 6) << 4;
    minimum = (low >> 4) | (bytesAt(at, 4 + j, part) >> 6) << 4;
  }
  out.scale[0] = halvesAt(at, 0, part) * floats(scale);
  out.offset[0] = -(halvesAt(at, 2, part) * floats(minimum));
}

struct Q4_K : Format<QuantizedFormat::q4_k, 1, 0, true, 4> {
  static WEFT_INLINE void words(const uint8_t* quants, int j, vu out[subBlockWords]) { fields(quants, (j >> 1) * 8, 4 * (j & 1), 15, out); }
  static WEFT_INLINE void scales(const uint8_t* at, int j, int part, SubBlockScales& out) { sixBitScales(at, j, part, out); }
};

struct Q5_K : Format<QuantizedFormat::q5_k, 1, 0, true, 5> {
  static WEFT_INLINE void words(const uint8_t* quants, int j, vu out[subBlockWords]) {
    fields(quants, (j >> 1) * 8, 4 * (j & 1), 15, out);
    addHighBits(quants, 32, j, 1, 4, out);
  }
  static WEFT_INLINE void scales(const uint8_t* at, int j, int part, SubBlockScales& out) { sixBitScales(at, j, part, out); }
};

struct Q6_K : Format<QuantizedFormat::q6_k, 2, 32, false, 6> {
  static WEFT_INLINE void words(const uint8_t* quants, int j, vu out[subBlockWords]) {
    const int quarter = j & 3;
    fields(quants, (j >> 2) * 16 + (quarter & 1) * 8, 4 * (quarter >> 1), 15, out);
    addHighBits(quants, 32 + (j >> 2) * 8, 2 * quarter, 3, 4, out);
  }
  static WEFT_INLINE void scales(const uint8_t* at, int j, int part, SubBlockScales& out) {
    const vf d = halvesAt(at, 0, part);
    for (int half = 0; half < 2; half++) {
      const vi byte = bytesAt(at, 2 + 2 * j + half, part);
      out.scale[half] = d * floats((byte ^ 128) - 128);
    }
  }
};

// ggml's table for its non-linear formats, and twice the values of a four-bit float; both lifted so that they are not negative.
alignas(16) inline constexpr uint8_t nonLinearBook[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
alignas(16) inline constexpr uint8_t float4Book[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

struct Iq4_nl : Format<QuantizedFormat::iq4_nl, 1, 128, false, 8> {
  static WEFT_INLINE void words(const uint8_t* quants, int, vu out[subBlockWords]) {
    nibbles(quants, 0, out);
    lookUpAll(nonLinearBook, out);
  }
  static WEFT_INLINE void scales(const uint8_t* at, int, int part, SubBlockScales& out) { out.scale[0] = halvesAt(at, 0, part); }
};

struct Iq4_xs : Format<QuantizedFormat::iq4_xs, 1, 128, false, 8> {
  static WEFT_INLINE void words(const uint8_t* quants, int j, vu out[subBlockWords]) {
    nibbles(quants, 4 * j, out);
    lookUpAll(nonLinearBook, out);
  }
  static WEFT_INLINE void scales(const uint8_t* at, int j, int part, SubBlockScales& out) {
    const vi low = (bytesAt(at, 4 + (j >> 1), part) >> (4 * (j & 1))) & 15;
    const vi high = (bytesAt(at, 2 + (j >> 2), part) >> (2 * (j & 3))) & 3;
    out.scale[0] = halvesAt(at, 0, part) * floats((low | high << 4) - 32);
  }
};

struct Mxfp4 : Format<QuantizedFormat::mxfp4, 1, 12, false, 5> {
  static WEFT_INLINE void words(const uint8_t* quants, int, vu out[subBlockWords]) {
    nibbles(quants, 0, out);
    lookUpAll(float4Book, out);
  }
  /** 2^(e − 128); below 2^-126 the bits of subnormal numbers. */
  static WEFT_INLINE void scales(const uint8_t* at, int, int part, SubBlockScales& out) {
    const vi e = bytesAt(at, 0, part);
    const vi small = e < 2;
    out.scale[0] = floatsOf((((e - 1) << 23) & ~small) | (((e + 1) << 21) & small));
  }
};

}  // namespace blocks

/** Calls body with a value of the format's type. */
template <class F> WEFT_INLINE auto withFormat(QuantizedFormat format, const F& body) {
  switch (format) {
    case QuantizedFormat::q8_0: return body(blocks::Q8_0{});
    case QuantizedFormat::q4_0: return body(blocks::Q4_0{});
    case QuantizedFormat::q4_1: return body(blocks::Q4_1{});
    case QuantizedFormat::q5_0: return body(blocks::Q5_0{});
    case QuantizedFormat::q5_1: return body(blocks::Q5_1{});
    case QuantizedFormat::q2_k: return body(blocks::Q2_K{});
    case QuantizedFormat::q3_k: return body(blocks::Q3_K{});
    case QuantizedFormat::q4_k: return body(blocks::Q4_K{});
    case QuantizedFormat::q5_k: return body(blocks::Q5_K{});
    case QuantizedFormat::q6_k: return body(blocks::Q6_K{});
    case QuantizedFormat::iq4_nl: return body(blocks::Iq4_nl{});
    case QuantizedFormat::iq4_xs: return body(blocks::Iq4_xs{});
    case QuantizedFormat::mxfp4: return body(blocks::Mxfp4{});
  }
  __builtin_unreachable();
}

}  // namespace weft::WEFT_ISA
