// The machine's limits by number of threads, as the native backend measures them, and shares of them. Where they cannot be measured
// there are none: figures then stand without a share.
import { setTimeout as sleep } from 'node:timers/promises'
import { createNativeBackend } from '@weft/backend-native'
import { measurePeaks, type Peaks } from '@weft/backend-native/bench'
import type { Measurement, Work } from './suite.ts'

export interface ThreadPeaks extends Peaks {
  readonly threads: number
}

/** Powers of two below `most`, and `most`. */
export const threadCounts = (most: number): number[] => {
  const counts: number[] = []
  for (let count = 1; count < most; count *= 2) counts.push(count)
  return [...counts, most]
}

/** Others use the machine too: a limit is the best of several tries, some time apart. */
const tries = 5
const restMs = 40

const bestOf = (all: readonly Peaks[]): Peaks => {
  const best = (pick: (one: Peaks) => number): number => Math.max(...all.map(pick))
  return { fmaGflops: best((one) => one.fmaGflops), bf16Gflops: best((one) => one.bf16Gflops), int8Gops: best((one) => one.int8Gops), readGBps: best((one) => one.readGBps) }
}

const measuredByMost = new Map<number, readonly ThreadPeaks[] | string>()

const measureAll = async (most: number): Promise<readonly ThreadPeaks[]> => {
  const found: ThreadPeaks[] = []
  for (const threads of threadCounts(most)) {
    const backend = createNativeBackend({ threads })
    try {
      const all: Peaks[] = []
      for (let i = 0; i < tries; i++) {
        await sleep(restMs)
        all.push(await measurePeaks(backend))
      }
      found.push({ threads, ...bestOf(all) })
    } finally {
      await backend.dispose()
    }
  }
  return found
}

/** Measured once a process; none, with a note, where the native backend is absent. */
export const machinePeaks = async ({ threads, note }: { readonly threads: number; note(line: string): void }): Promise<readonly ThreadPeaks[]> => {
  if (!measuredByMost.has(threads)) measuredByMost.set(threads, await measureAll(threads).catch((error: unknown) => (error instanceof Error ? error.message : String(error))))
  const measured = measuredByMost.get(threads)!
  if (typeof measured !== 'string') return measured
  note(`figures have no shares of the machine's limits: ${measured}`)
  return []
}

/** Those that this process has measured. */
export const measuredPeaks = (threads: number): readonly ThreadPeaks[] => {
  const measured = measuredByMost.get(threads)
  return measured === undefined || typeof measured === 'string' ? [] : measured
}

export const peaksOf = (peaks: readonly ThreadPeaks[], threads: number): ThreadPeaks | undefined => peaks.find((one) => one.threads === threads)

/** Operations a second, 10⁹. A processor without dot products of a narrower type computes with float32's. */
export const computePeak = (peaks: Peaks, precision: Work['precision']): { readonly name: string; readonly gflops: number } => {
  const narrow = { f32: 0, bf16: peaks.bf16Gflops, int8: peaks.int8Gops }[precision]
  return narrow > 0 ? { name: `${precision} peak`, gflops: narrow } : { name: 'FMA peak', gflops: peaks.fmaGflops }
}

/** `gflops` as a share of the peak of its precision. */
export const shareOfPeak = (peaks: Peaks | undefined, precision: Work['precision'], gflops: number): Pick<Measurement, 'share'> => {
  if (peaks === undefined) return {}
  const { name, gflops: peak } = computePeak(peaks, precision)
  return { share: { of: `the ${name}`, value: gflops / peak } }
}

export const shareOfBandwidth = (peaks: Peaks | undefined, gigabytesPerSecond: number): Pick<Measurement, 'share'> =>
  peaks === undefined ? {} : { share: { of: 'the memory bandwidth', value: gigabytesPerSecond / peaks.readGBps } }
