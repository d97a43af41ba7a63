// Interleaved timing: A B C A B C …, so that a machine whose speed drifts is unfair to nobody. Fixed counts; nothing adapts to a result.

export interface Subject {
  readonly name: string
  /** Does the work once and returns how many units it did (flops, tokens, bytes); its time is taken around it. */
  run(): Promise<number> | number
}

export interface Samples {
  readonly name: string
  /** Units a second, one a run. */
  readonly rates: readonly number[]
}

/** Every subject once unmeasured, then `runs` rounds over all of them. */
export const interleaved = async (subjects: readonly Subject[], options: { readonly runs: number; readonly warmups?: number }): Promise<Samples[]> => {
  for (let i = 0; i < (options.warmups ?? 1); i++) for (const { run } of subjects) await run()
  const rates = subjects.map((): number[] => [])
  for (let round = 0; round < options.runs; round++) {
    for (const [i, { run }] of subjects.entries()) {
      const start = performance.now()
      const units = await run()
      rates[i]!.push(units / ((performance.now() - start) / 1000))
    }
  }
  return subjects.map(({ name }, i) => ({ name, rates: rates[i]! }))
}

/** The middle value; the mean of the two middle ones of an even count. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Half of (max − min) over the median: how far single runs strayed. */
export const spread = (values: readonly number[]): number => (Math.max(...values) - Math.min(...values)) / 2 / median(values)
