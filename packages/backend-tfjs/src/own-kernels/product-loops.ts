// Products of single matrices in TypeScript, twice: with sums in f32, which give the bits of XNNPACK's multiply and add, and with sums
// in f64, which run three times as fast, since the engine computes in f64 anyway. Both add up over K in ascending order.

/** M rows, K summands, N columns. */
export type Sizes = readonly [M: number, K: number, N: number]

interface Matrices {
  readonly a: Float32Array
  readonly fromA: number
  readonly b: Float32Array
  readonly fromB: number
  readonly out: Float32Array
  readonly fromOut: number
}

interface ProductLoops {
  /** [M, K] × [N, K]ᵀ */
  rowsTimesRows(matrices: Matrices, sizes: Sizes): void
  /** [M, K] × [K, N] */
  addedRows(matrices: Matrices, sizes: Sizes): void
}

const { fround } = Math

export const singleLoops: ProductLoops = {
  rowsTimesRows({ a, fromA, b, fromB, out, fromOut }, [M, K, N]) {
    for (let i = 0; i < M; i++) {
      const a0 = fromA + i * K
      for (let j = 0; j < N; j += 2) {
        const b0 = fromB + j * K
        const b1 = j + 1 < N ? b0 + K : b0
        let s0 = fround(0)
        let s1 = fround(0)
        for (let k = 0; k < K; k++) {
          const x = a[a0 + k]!
          s0 = fround(s0 + fround(x * b[b0 + k]!))
          s1 = fround(s1 + fround(x * b[b1 + k]!))
        }
        const at = fromOut + i * N + j
        out[at] = s0
        if (b1 !== b0) out[at + 1] = s1
      }
    }
  },
  addedRows({ a, fromA, b, fromB, out, fromOut }, [M, K, N]) {
    for (let i = 0; i < M; i++) {
      const row = fromOut + i * N
      out.fill(0, row, row + N)
      for (let k = 0; k < K; k++) {
        const weight = a[fromA + i * K + k]!
        const source = fromB + k * N
        for (let j = 0; j < N; j++) out[row + j] = out[row + j]! + fround(weight * b[source + j]!)
      }
    }
  },
}

export const doubleLoops: ProductLoops = {
  /** Two by two dot products: four chains of additions overlap, and each load serves two. */
  rowsTimesRows({ a, fromA, b, fromB, out, fromOut }, [M, K, N]) {
    for (let i = 0; i < M; i += 2) {
      const a0 = fromA + i * K
      const down = i + 1 < M ? 1 : 0
      const a1 = a0 + down * K
      for (let j = 0; j < N; j += 2) {
        const b0 = fromB + j * K
        const right = j + 1 < N ? 1 : 0
        const b1 = b0 + right * K
        let s00 = 0
        let s01 = 0
        let s10 = 0
        let s11 = 0
        for (let k = 0; k < K; k++) {
          const x0 = a[a0 + k]!
          const x1 = a[a1 + k]!
          const y0 = b[b0 + k]!
          const y1 = b[b1 + k]!
          s00 += x0 * y0
          s01 += x0 * y1
          s10 += x1 * y0
          s11 += x1 * y1
        }
        // At an odd end the second row or column is the first again: the same values land on the same places.
        const at = fromOut + i * N + j
        out[at] = s00
        out[at + right] = s01
        out[at + down * N] = s10
        out[at + down * N + right] = s11
      }
    }
  },
  addedRows({ a, fromA, b, fromB, out, fromOut }, [M, K, N]) {
    const totals = new Float64Array(N)
    for (let i = 0; i < M; i++) {
      totals.fill(0)
      for (let k = 0; k < K; k++) {
        const weight = a[fromA + i * K + k]!
        const source = fromB + k * N
        for (let j = 0; j < N; j++) totals[j]! += weight * b[source + j]!
      }
      out.set(totals, fromOut + i * N)
    }
  },
}
