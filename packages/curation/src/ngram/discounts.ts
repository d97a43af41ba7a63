// The discounts of modified Kneser-Ney smoothing (Chen & Goodman 1998, eq. 26), estimated from how many n-grams occur once to four times.

/** What is taken from a count of 1, of 2, and of 3 or more. */
export type Discounts = readonly [number, number, number]

/** Where the estimate is undefined or out of range, as happens with little text; KenLM falls back on the same. */
const fallback: Discounts = [0.5, 1, 1.5]

/**
 * Y = n1 / (n1 + 2 n2), Dk = k − (k + 1) · Y · n(k+1) / nk.
 *
 * @param counts the n-grams' counts; zeros are skipped.
 */
export const estimateDiscounts = (counts: Iterable<number>): Discounts => {
  const withCount = [0, 0, 0, 0, 0]
  for (const count of counts) if (count > 0 && count <= 4) withCount[count]!++
  const [, n1 = 0, n2 = 0, n3 = 0, n4 = 0] = withCount
  const y = n1 / (n1 + 2 * n2)
  const found: Discounts = [1 - (2 * y * n2) / n1, 2 - (3 * y * n3) / n2, 3 - (4 * y * n4) / n3]
  return found.every((discount, k) => Number.isFinite(discount) && discount >= 0 && discount <= k + 1) ? found : fallback
}

/** What is taken from this count. */
export const discountOf = (discounts: Discounts, count: number): number => (count === 0 ? 0 : discounts[Math.min(count, 3) - 1]!)
