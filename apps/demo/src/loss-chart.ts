// A loss curve in letters: one column a stretch of steps, the mean of its losses.

/** Lines of a chart, the highest value on top; [] for fewer than two values. */
export const lossChart = (losses: readonly number[], options: { readonly width?: number; readonly height?: number } = {}): string[] => {
  const { width = 64, height = 8 } = options
  const finite = losses.filter(Number.isFinite)
  if (finite.length < 2) return []
  const columns = Array.from({ length: Math.min(width, finite.length) }, (_, c, ) => {
    const count = Math.min(width, finite.length)
    const part = finite.slice(Math.floor((c * finite.length) / count), Math.max(Math.floor((c * finite.length) / count) + 1, Math.floor(((c + 1) * finite.length) / count)))
    return part.reduce((sum, x) => sum + x, 0) / part.length
  })
  const [low, high] = [Math.min(...columns), Math.max(...columns)]
  const rowOf = (value: number): number => (high === low ? 0 : Math.round(((value - low) / (high - low)) * (height - 1)))
  return Array.from({ length: height }, (_, r) => {
    const row = height - 1 - r
    const label = row === height - 1 ? high.toFixed(2) : row === 0 ? low.toFixed(2) : ''
    return `${label.padStart(6)} ${row === 0 ? '└' : '│'}${columns.map((value) => (rowOf(value) === row ? '●' : row === 0 ? '─' : ' ')).join('')}`
  })
}
