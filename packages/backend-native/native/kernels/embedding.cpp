// embedding: rows of a table by id, zeros for an id outside of it; and its gradient, for which the places of each id are chained up
// first, so that every row of the table is written once, by one thread, its sum in the order of the places.
#include <type_traits>

#include "isa.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t pieceBytes = 1 << 17;

const int32_t* idsOf(Run& run, const View& ids) {
  if (ids.dtype != DType::i32) fail("%s: expected ids of dtype i32", run.operation());
  return ids.as<int32_t>();
}

void embedding(Run& run) {
  const View& table = run.input(0);
  const View& ids = run.input(1);
  const View& out = run.output(0);
  if (table.rank != 2) fail("embedding: expected a table of shape [V, D], got rank %d", table.rank);
  const int64_t vocabSize = table.dims[0];
  const size_t rowBytes = static_cast<size_t>(table.dims[1] * bytesPerElement(table.dtype));
  if (out.dtype != table.dtype || out.size != ids.size * table.dims[1]) fail("embedding: expected an output of ids' shape and the table's row");
  const int32_t* id = idsOf(run, ids);
  run.parallelRanges(ids.size, pieceBytes / max<int64_t>(1, static_cast<int64_t>(rowBytes)), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) {
      char* to = out.as<char>() + static_cast<size_t>(i) * rowBytes;
      if (id[i] >= 0 && id[i] < vocabSize) memcpy(to, table.as<char>() + static_cast<size_t>(id[i]) * rowBytes, rowBytes);
      else memset(to, 0, rowBytes);
    }
  });
}

/** Zeros past the caches where there are so many that they would only push out what is needed next. */
void clear(char* to, size_t bytes, bool isLarge) {
#if defined(__x86_64__)
  if (isLarge && bytes >= 256) {
    const size_t head = (64 - (reinterpret_cast<uintptr_t>(to) & 63)) & 63;
    memset(to, 0, head);
    size_t i = head;
    for (; i + 64 <= bytes; i += 64)
      for (size_t k = 0; k < 64; k += 16) _mm_stream_si128(reinterpret_cast<__m128i*>(to + i + k), _mm_setzero_si128());
    memset(to + i, 0, bytes - i);
    return;
  }
#endif
  memset(to, 0, bytes);
}

/** The places of each id in ascending order: first[id], then next[place], −1 at the end. */
struct Places {
  int32_t* first;
  int32_t* next;
};

Places placesOf(Run& run, const int32_t* id, int64_t count, int64_t vocabSize) {
  if (count > INT32_MAX) fail("%s: expected fewer than 2^31 ids", run.operation());
  const Places places{run.temporaryOf<int32_t>(vocabSize), run.temporaryOf<int32_t>(count)};
  memset(places.first, 0xff, static_cast<size_t>(vocabSize) * sizeof(int32_t));
  for (int64_t i = count - 1; i >= 0; i--) {
    if (id[i] < 0 || id[i] >= vocabSize) continue;
    places.next[i] = places.first[id[i]];
    places.first[id[i]] = static_cast<int32_t>(i);
  }
  return places;
}

/** sum = row, or sum += row. */
template <class T> void addRow(float* sum, const T* row, int64_t size, bool isFirst) {
  for (int64_t i = 0; i < size; i += VW) {
    const int n = static_cast<int>(min<int64_t>(VW, size - i));
    const vf value = loadAs(row + i, n);
    storeAs(sum + i, isFirst ? value : loadAs(sum + i, n) + value, n);
  }
}

template <class T> void sumPlaces(const Places& places, int32_t place, const T* gradient, int64_t size, float* sum, T* out) {
  if (places.next[place] < 0) {
    memcpy(static_cast<void*>(out), gradient + place * size, static_cast<size_t>(size) * sizeof(T));
    return;
  }
  float* total = std::is_same_v<T, float> ? reinterpret_cast<float*>(out) : sum;
  for (bool isFirst = true; place >= 0; place = places.next[place], isFirst = false) addRow(total, gradient + place * size, size, isFirst);
  if (std::is_same_v<T, float>) return;
  for (int64_t i = 0; i < size; i += VW) {
    const int n = static_cast<int>(min<int64_t>(VW, size - i));
    storeAs(out + i, loadAs(sum + i, n), n);
  }
}

void embeddingBackward(Run& run) {
  const View& ids = run.input(0);
  const View& gradient = run.input(1);
  const View& out = run.output(0);
  if (out.rank != 2 || out.dtype != gradient.dtype || gradient.size != ids.size * out.dims[1]) fail("embeddingBackward: expected a gradient of ids' shape and the table's row");
  const int64_t vocabSize = out.dims[0], size = out.dims[1];
  const Places places = placesOf(run, idsOf(run, ids), ids.size, vocabSize);
  withFloatType(out.dtype, "embeddingBackward", [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const int64_t rowBytes = max<int64_t>(1, size * static_cast<int64_t>(sizeof(T)));
    const bool isLarge = out.size * static_cast<int64_t>(sizeof(T)) > (8 << 20);
    run.parallelRanges(vocabSize, pieceBytes / rowBytes, [&](int64_t begin, int64_t end, int worker) {
      for (int64_t row = begin; row < end;) {
        T* to = out.as<T>() + row * size;
        if (places.first[row] >= 0) {
          sumPlaces(places, places.first[row], gradient.as<T>(), size, run.scratchOf<float>(worker, 0, size), to);
          row++;
          continue;
        }
        const int64_t emptyFrom = row;
        while (row < end && places.first[row] < 0) row++;
        clear(reinterpret_cast<char*>(to), static_cast<size_t>((row - emptyFrom) * size) * sizeof(T), isLarge);
      }
#if defined(__x86_64__)
      if (isLarge) _mm_sfence();
#endif
    });
  });
}

WEFT_KERNEL("embedding", embedding)
WEFT_KERNEL("embeddingBackward", embeddingBackward)

}  // namespace
}  // namespace weft::WEFT_ISA
