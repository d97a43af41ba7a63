// Small plots in plain text, from the block characters U+2581 to U+2588.

const LEVELS = '▁▂▃▄▅▆▇█'
const WIDTH = 40

/** The course of the values in at most 40 characters; each is the mean of its stretch, a blank where no value is finite. */
export const sparkline = (values: readonly number[], width: number = WIDTH): string => {
  const columns = Math.min(width, values.length)
  const means = Array.from({ length: columns }, (_, column) => {
    const stretch = values
      .slice(Math.floor((column * values.length) / columns), Math.floor(((column + 1) * values.length) / columns))
      .filter(Number.isFinite)
    return stretch.reduce((sum, value) => sum + value, 0) / stretch.length
  })
  const known = means.filter(Number.isFinite)
  const low = Math.min(...known)
  const range = Math.max(...known) - low
  return means
    .map((mean) => (Number.isFinite(mean) ? LEVELS[range > 0 ? Math.min(7, Math.floor(((mean - low) / range) * 8)) : 3]! : ' '))
    .join('')
}

/** A bar of up to `width` characters, at least one where the count is not zero. */
export const barOf = (count: number, largest: number, width: number): string =>
  count > 0 && Number.isFinite(count) && largest > 0 ? '█'.repeat(Math.max(1, Math.round((count / largest) * width))) : ''
