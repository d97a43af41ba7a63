// Shares, associations and contrasts of counts, with 95 % intervals by the delta method. Counts come in blocks of text, which are taken as the
// independent units: the variance of a function of totals is Σ (influence of a block)², as in survey sampling.

export interface Share {
  /** 0 to 1; null without cases. */
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
}

export interface Association {
  /** Natural logarithm; null where a count is zero. */
  readonly value: number | null
  /** null too where there is only one block of text. */
  readonly low: number | null
  readonly high: number | null
  /** value / standard error. */
  readonly z: number | null
}

const z95 = 1.959963984540054
const none = { value: null, low: null, high: null, z: null }

/** Σ part / Σ whole. @param rows [part, whole] of each block */
export const share = (rows: readonly (readonly [part: number, whole: number])[]): Share => {
  const part = rows.reduce((sum, row) => sum + row[0], 0)
  const whole = rows.reduce((sum, row) => sum + row[1], 0)
  if (whole === 0) return { value: null, low: null, high: null }
  const value = part / whole
  const variance = correct(rows.reduce((sum, row) => sum + ((row[0] - value * row[1]) / whole) ** 2, 0), rows.length)
  const error = z95 * Math.sqrt(variance)
  return { value, low: Math.max(0, value - error), high: Math.min(1, value + error) }
}

/**
 * ln of observed over expected pairs: PMI = ln(pairs · words / (attribute · group · places)), where `places` is how many places around a word count
 * as near.
 *
 * @param rows [pairs, attribute, group, words] of each block
 */
export const association = (rows: readonly (readonly [number, number, number, number])[], places: number): Association =>
  logOfTotals(rows, [1, -1, -1, 1], -Math.log(places), 'blocks')

/**
 * ln((pairs A / pairs B) / (mentions A / mentions B)).
 *
 * @param rows [pairs A, pairs B, mentions A, mentions B] of each block
 * @param variance `poisson`: counts are taken as independent, for when only totals are known
 */
export const contrast = (rows: readonly (readonly [number, number, number, number])[], variance: 'blocks' | 'poisson' = 'blocks'): Association =>
  logOfTotals(rows, [1, -1, -1, 1], 0, variance)

/** Σ sign · ln(total) + offset. */
const logOfTotals = (
  rows: readonly (readonly [number, number, number, number])[],
  signs: readonly [number, number, number, number],
  offset: number,
  variance: 'blocks' | 'poisson',
): Association => {
  const totals = signs.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0))
  if (totals.some((total) => total === 0)) return none
  const value = signs.reduce((sum, sign, i) => sum + sign * Math.log(totals[i]!), offset)
  const spread =
    variance === 'poisson'
      ? totals.reduce((sum, total) => sum + 1 / total, 0)
      : correct(rows.reduce((sum, row) => sum + signs.reduce((influence, sign, i) => influence + (sign * row[i]!) / totals[i]!, 0) ** 2, 0), rows.length)
  if (!Number.isFinite(spread)) return { ...none, value }
  const error = Math.sqrt(spread)
  return { value, low: value - z95 * error, high: value + z95 * error, z: error === 0 ? null : value / error }
}

/** Influences sum to zero, which costs one degree of freedom. A single block tells nothing of its spread. */
const correct = (sumOfSquares: number, count: number): number => (count > 1 ? (sumOfSquares * count) / (count - 1) : Number.POSITIVE_INFINITY)
