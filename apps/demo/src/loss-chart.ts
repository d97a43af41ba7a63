// A loss curve in letters: one column a stretch of steps, the mean of its losses. Several lines at the end, one line while it goes on.

/** Means of equal stretches, at most `width` of them, of the values that are finite. */
const columnsOf = (losses: readonly number[], width: number): number[] => {
  const finite = losses.filter(Number.isFinite)
  const count = Math.min(width, finite.length)
  return Array.from({ length: count }, (_, c) => {
    const part = finite.slice(Math.floor((c * finite.length) / count), Math.floor(((c + 1) * finite.length) / count))
    return part.reduce((sum, x) => sum + x, 0) / part.length
  })
}

/** Which of `rows` rows each column falls into, 0 the lowest. */
const rowsOf = (columns: readonly number[], rows: number): number[] => {
  const [low, high] = [Math.min(...columns), Math.max(...columns)]
  return columns.map((value) => (high === low ? 0 : Math.round(((value - low) / (high - low)) * (rows - 1))))
}

/** Lines of a chart, the highest value on top; [] for fewer than two values. */
export const lossChart = (losses: readonly number[], options: { readonly width?: number; readonly height?: number } = {}): string[] => {
  const { width = 64, height = 8 } = options
  const columns = columnsOf(losses, width)
  if (columns.length < 2) return []
  const places = rowsOf(columns, height)
  return Array.from({ length: height }, (_, r) => {
    const row = height - 1 - r
    const label = row === height - 1 ? Math.max(...columns).toFixed(2) : row === 0 ? Math.min(...columns).toFixed(2) : ''
    return `${label.padStart(6)} ${row === 0 ? '└' : '│'}${places.map((place) => (place === row ? '●' : row === 0 ? '─' : ' ')).join('')}`
  })
}

/** The curve so far in one line, for a progress bar; '' for fewer than two values. */
export const lossLine = (losses: readonly number[], width = 16): string => {
  const columns = columnsOf(losses, width)
  return columns.length < 2 ? '' : rowsOf(columns, 8).map((row) => '▁▂▃▄▅▆▇█'[row]!).join('')
}
