// What the native backend measures of the machine: the limits that figures are shares of.
import { UnsupportedError } from '@weft/contracts'

/** Limits of this machine with so many threads, measured by loops that do nothing else. */
export interface Peaks {
  readonly threads: number
  readonly fmaGflops: number
  readonly bf16Gflops: number
  readonly int8Gops: number
  readonly readGBps: number
}

interface PeaksModule {
  measurePeaks(): readonly Peaks[] | Promise<readonly Peaks[]>
}

/** @throws where the native backend does not measure them. */
export const measurePeaks = async (): Promise<readonly Peaks[]> => {
  const specifier: string = '@weft/backend-native/bench'
  try {
    return await ((await import(specifier)) as PeaksModule).measurePeaks()
  } catch (cause) {
    throw new UnsupportedError(`the native backend does not measure the machine (${cause instanceof Error ? cause.message : String(cause)})`, { cause })
  }
}
