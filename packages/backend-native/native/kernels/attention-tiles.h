// The register tiles of attention. Scores stand as [keys][lanes], a query a lane, so that softmax runs down the columns and no product
// needs a transposed copy of keys or values: those enter as scalars, in the order in which they lie in memory.
#pragma once
#include "isa.h"

namespace weft::WEFT_ISA {

/** Queries side by side in one register tile. */
constexpr int laneVectors = 2;
constexpr int laneWidth = laneVectors * VW;

/** What becomes of what is in d. */
enum class Into : int { set, add };

/** A matrix of scalars, and one of vectors; strides are counted in floats. */
struct Scalars {
  const float* data;
  int64_t stride;
};

/**
 * d[i][j] = or += Σ a[i][p] · b[p][j] over p < steps, in ascending order, for i < rows and j < vectors · VW.
 * Scores (a: keys, b: queries) and the gradients of keys and values (a: scores, b: queries).
 */
void productOfRows(int64_t rows, int vectors, int64_t steps, Scalars a, Scalars b, float* d, int64_t dStride, Into into);

/**
 * d[i][j] = d[i][j] · factors[j] + Σ a[p][i] · b[p][j]: mixes of values, gradients of queries (a: values or keys, b: scores).
 * Without factors: those that make `into`.
 */
void productOfColumns(int64_t rows, int vectors, int64_t steps, Scalars a, Scalars b, float* d, int64_t dStride, Into into, const float* factors = nullptr);

}  // namespace weft::WEFT_ISA
