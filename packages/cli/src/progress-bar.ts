// Progress on standard error: a bar with rate and time left in a terminal, now and then a line elsewhere, nothing with --json.
import { SingleBar } from 'cli-progress'

export interface ProgressBar {
  /** @param total may become known, or change, on the way. */
  update(done: number, total: number, note?: string): void
  /** Takes the bar away and leaves one line, if it took long enough to be worth one. */
  end(): void
}

const lineEveryMs = 10_000

/** 12,345 · 12.3 · 0.123 */
export const formatNumber = (value: number): string =>
  Number.isInteger(value) || Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en-US')
    : Math.abs(value) >= 10
      ? value.toFixed(1)
      : value.toFixed(3)

const duration = (seconds: number): string => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`)

export const startBar = ({ label, unit, isQuiet }: { readonly label: string; readonly unit: string; readonly isQuiet: boolean }): ProgressBar => {
  if (isQuiet) return { update: () => undefined, end: () => undefined }
  const start = performance.now()
  const isTerminal = process.stderr.isTTY
  const bar = new SingleBar({
    format: `${label} {bar} {percentage}%  {rate} ${unit}/s  {left} left  {note}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    fps: 8,
    stream: process.stderr,
  })
  let state = { done: 0, total: 0, note: '' }
  let lastLine = start
  const rate = (): number => state.done / Math.max((performance.now() - start) / 1000, 1e-3)
  return {
    update: (done, total, note = '') => {
      state = { done, total, note }
      if (isTerminal) {
        const tokens = { rate: formatNumber(rate()), left: duration(Math.max(0, total - done) / Math.max(rate(), 1e-9)), note }
        if (!bar.isActive) bar.start(Math.max(1, total), done, tokens)
        else {
          bar.setTotal(Math.max(1, total))
          bar.update(done, tokens)
        }
      } else if (performance.now() - lastLine >= lineEveryMs) {
        lastLine = performance.now()
        process.stderr.write(`${label}: ${formatNumber(done)} of ${formatNumber(total)} ${unit}, ${formatNumber(rate())} a second  ${note}\n`)
      }
    },
    end: () => {
      if (bar.isActive) bar.stop()
      const seconds = (performance.now() - start) / 1000
      if (seconds < 1 || state.total === 0) return // nothing that anybody has waited for
      process.stderr.write(`${label}: ${formatNumber(state.done)} ${unit} in ${duration(seconds)}${state.note === '' ? '' : `, ${state.note}`}\n`)
    },
  }
}
