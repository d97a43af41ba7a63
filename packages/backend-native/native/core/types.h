// What a tensor looks like to native code. Element types and limits are those of src/command-ring.ts.
#pragma once
#include <cstddef>
#include <cstdint>

#define WEFT_INLINE __attribute__((always_inline)) inline

namespace weft {

enum class DType : uint8_t { f32, i32, u8, f16, bf16 };
constexpr int dtypeCount = 5;
constexpr int maxRank = 8;

WEFT_INLINE int64_t bytesPerElement(DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::i32: return 4;
    case DType::u8: return 1;
    default: return 2;
  }
}

/** A row-major array in memory. `data` is aligned to 64 bytes; nothing beyond its last element may be touched. */
struct View {
  void* data;
  DType dtype;
  int rank;
  int64_t dims[maxRank];
  int64_t size;  // number of elements

  template <class T> WEFT_INLINE T* as() const { return static_cast<T*>(data); }
  /** The size of the last axis; 1 for a scalar. */
  WEFT_INLINE int64_t last() const { return rank == 0 ? 1 : dims[rank - 1]; }
  /** How many rows of the last axis there are. */
  WEFT_INLINE int64_t rows() const {
    int64_t n = 1;
    for (int i = 0; i + 1 < rank; i++) n *= dims[i];
    return n;
  }
  WEFT_INLINE bool sameShape(const View& other) const {
    if (rank != other.rank) return false;
    for (int i = 0; i < rank; i++)
      if (dims[i] != other.dims[i]) return false;
    return true;
  }
};

}  // namespace weft
