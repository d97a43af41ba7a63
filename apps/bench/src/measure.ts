// Interleaved timing: A B C A B C …, so that a machine whose speed drifts is unfair to nobody. Fixed counts; nothing adapts to a result.
import { setTimeout as sleep } from 'node:timers/promises'

/** Units of work, with the seconds that they took where the subject is the better judge (a peer times itself, without the pipe). */
type Done = number | { readonly units: number; readonly seconds: number }

export interface Subject {
  readonly name: string
  readonly id?: string
  /** Does the work once and returns how many units it did (flops, tokens, bytes). */
  run(): Promise<Done> | Done
}

export interface Samples {
  readonly name: string
  readonly id?: string
  /** Units a second, one a run. */
  readonly rates: readonly number[]
}

export interface InterleaveOptions {
  readonly runs: number
  readonly warmups?: number
  /** Rest before each run, so that threads of the one before have gone to sleep (OpenMP's spin for some milliseconds). */
  readonly restMs?: number
}

/** Every subject unmeasured first, then `runs` rounds over all of them. */
export const interleaved = async (subjects: readonly Subject[], options: InterleaveOptions): Promise<Samples[]> => {
  const { runs, warmups = 1, restMs = 10 } = options
  for (let i = 0; i < warmups; i++) for (const { run } of subjects) await run()
  const rates = subjects.map((): number[] => [])
  for (let round = 0; round < runs; round++) {
    for (const [i, subject] of subjects.entries()) {
      await sleep(restMs)
      rates[i]!.push(await rateOf(subject))
    }
  }
  return subjects.map(({ name, id }, i) => ({ name, rates: rates[i]!, ...(id === undefined ? {} : { id }) }))
}

const rateOf = async ({ name, run }: Subject): Promise<number> => {
  const start = performance.now()
  const done = await run()
  const seconds = typeof done === 'number' ? (performance.now() - start) / 1000 : done.seconds
  const units = typeof done === 'number' ? done : done.units
  if (!(seconds > 0) || !(units > 0)) throw new Error(`${name}: expected work and the time it took, got ${units} units in ${seconds} s`)
  return units / seconds
}

/** The middle value; the mean of the two middle ones of an even count. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Half of (max − min) over the median: how far single runs strayed. */
export const spread = (values: readonly number[]): number => (Math.max(...values) - Math.min(...values)) / 2 / median(values)
