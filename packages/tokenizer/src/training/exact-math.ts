// Exponential, logarithm and digamma from the four basic operations alone: engines differ in the last bit of Math.exp and Math.log, and
// training shall give the same tokens everywhere. Within one unit in the last place.
// Reference: fdlibm (e_exp.c, e_log.c) for the polynomials; Abramowitz and Stegun 6.3.18 for digamma.

const ln2High = 6.93147180369123816490e-1
const ln2Low = 1.90821492927058770002e-10
const bits = new Float64Array(1)
const words = new Int32Array(bits.buffer)
const isLittleEndian = (() => {
  bits[0] = 1
  return words[1] !== 0
})()
const highWord = isLittleEndian ? 1 : 0

/** 2^power for a power from −1022 to 1023. */
const powerOfTwo = (power: number): number => {
  words[highWord] = (power + 1023) << 20
  words[1 - highWord] = 0
  return bits[0]!
}

/** e^x; 0 below the smallest normal number. */
export const exactExp = (x: number): number => {
  if (x < -708) return 0
  if (x > 709) return Infinity
  const power = Math.round(x / Math.LN2)
  const high = x - power * ln2High
  const low = power * ln2Low
  const r = high - low
  const t = r * r
  const c =
    r -
    t * (1.66666666666666019037e-1 + t * (-2.77777777770155933842e-3 + t * (6.61375632143793436117e-5 + t * (-1.65339022054652515390e-6 + t * 4.13813679705723846039e-8))))
  const result = 1 - (low - (r * c) / (2 - c) - high)
  return power > 1023 ? result * powerOfTwo(power - 1) * 2 : result * powerOfTwo(power)
}

/** ln x for a normal x above 0; −Infinity at 0. */
export const exactLog = (x: number): number => {
  if (x === 0) return -Infinity
  bits[0] = x
  let power = (words[highWord]! >> 20) - 1023
  words[highWord] = (words[highWord]! & 0xfffff) | 0x3ff00000
  let mantissa = bits[0]!
  if (mantissa > Math.SQRT2) {
    mantissa /= 2
    power++
  }
  const f = mantissa - 1
  const s = f / (2 + f)
  const z = s * s
  const w = z * z
  const odd = w * (3.999999999940941908e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1))
  const even = z * (6.666666666666735130e-1 + w * (2.857142874366239149e-1 + w * (1.818357216161805012e-1 + w * 1.479819860511658591e-1)))
  const half = 0.5 * f * f
  return power * ln2High - (half - (s * (half + odd + even) + power * ln2Low) - f)
}

/** The derivative of ln Γ at x > 0. */
export const digamma = (x: number): number => {
  let result = 0
  for (; x < 7; x++) result -= 1 / x
  const middle = x - 0.5
  const square = 1 / (middle * middle)
  return result + exactLog(middle) + square * (1 / 24 - square * (7 / 960 - square * (31 / 8064 - (square * 127) / 30_720)))
}
