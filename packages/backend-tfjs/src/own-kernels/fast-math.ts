// Exponential, tanh and erf for loops over f32: some 10^-8 relative, computed in doubles, two to four times as fast as Math's.

/** 2^k for k = −160 … 160. */
const powersOfTwo = Float64Array.from({ length: 321 }, (_, i) => 2 ** (i - 160))
const log2e = Math.LOG2E
const ln2 = Math.LN2

/**
 * exp(x), relative error below 6e-9 for |x| ≤ 110. Beyond that it stays at exp(±110), which f32 stores as ∞ and 0. The limits are
 * selections, not early returns, and the index is an integer even for NaN: this runs in half the time that branches take.
 */
export const fastExp = (value: number): number => {
  const x = value < -110 ? -110 : value > 110 ? 110 : value
  // x = k ln 2 + r with |r| ≤ ln 2 / 2; the Taylor polynomial of exp(r) to r⁷ in Estrin's order.
  const k = Math.floor(x * log2e + 0.5)
  const r = x - k * ln2
  const square = r * r
  const p = 1 + r + square * (1 / 2 + r * (1 / 6) + square * (1 / 24 + r * (1 / 120) + square * (1 / 720 + r * (1 / 5040))))
  return p * powersOfTwo[(k + 160) | 0]!
}

/** tanh(x): relative error below 2e-7 everywhere. */
export const fastTanh = (x: number): number => {
  if (x < 0.1 && x > -0.1) {
    const square = x * x
    return x * (1 + square * (-1 / 3 + square * (2 / 15 + square * (-17 / 315))))
  }
  return 1 - 2 / (fastExp(2 * x) + 1)
}

/** 1 / (1 + exp(−x)). */
export const fastSigmoid = (x: number): number => 1 / (1 + fastExp(-x))

/** Beyond this, erf is ±1 in f32. */
const erfLimit = 4.25
const erfStep = 1 / 32
const erfTerms = 6
let erfTable: Float64Array | undefined

/** erf(x): relative error below 1e-9. Taylor polynomials of degree 5 around a grid of step 1/32. */
export const fastErf = (x: number): number => {
  const magnitude = x < 0 ? -x : x
  if (!(magnitude < erfLimit)) return magnitude !== magnitude ? NaN : x < 0 ? -1 : 1
  erfTable ??= makeErfTable()
  const k = Math.floor(magnitude / erfStep + 0.5)
  const d = magnitude - k * erfStep
  const at = k * erfTerms
  let value = erfTable[at + erfTerms - 1]!
  for (let n = erfTerms - 2; n >= 0; n--) value = value * d + erfTable[at + n]!
  return x < 0 ? -value : value
}

/**
 * Taylor coefficients of erf at each grid point. With f′(x) = 2/√π exp(−x²): f″ = −2x f′, and differentiating that n times,
 * f⁽ⁿ⁺²⁾ = −2x f⁽ⁿ⁺¹⁾ − 2n f⁽ⁿ⁾.
 */
const makeErfTable = (): Float64Array => {
  const points = Math.ceil(erfLimit / erfStep) + 2
  const table = new Float64Array(points * erfTerms)
  for (let i = 0; i < points; i++) {
    const x = i * erfStep
    const derivatives = [erfSeries(x), (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)]
    for (let n = 0; derivatives.length < erfTerms; n++) derivatives.push(-2 * x * derivatives[n + 1]! - 2 * n * (n === 0 ? 0 : derivatives[n]!))
    let factorial = 1
    derivatives.forEach((derivative, n) => {
      if (n > 0) factorial *= n
      table[i * erfTerms + n] = derivative / factorial
    })
  }
  return table
}

/** 2/√π exp(−x²) Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1)): all terms positive, nothing cancels (Abramowitz and Stegun 7.1.6). */
const erfSeries = (x: number): number => {
  let term = x
  let total = x
  for (let n = 1; term > total * 1e-18; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    total += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total
}
