// Shares of the machine's limits. Where they cannot be measured there are none: figures then stand without a share.
import { measurePeaks, type Peaks } from './native.ts'
import type { Measurement, Work } from './suite.ts'

let measured: readonly Peaks[] | undefined
let isMeasured = false

/** Measured once a process; undefined, with a note, where the native backend is absent. */
export const machinePeaks = async (note: (line: string) => void): Promise<readonly Peaks[] | undefined> => {
  if (!isMeasured) {
    isMeasured = true
    try {
      measured = await measurePeaks()
    } catch (error) {
      note(`no shares of the machine's peak: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return measured
}

/** The peaks that were measured in this process, if any were. */
export const measuredPeaks = (): readonly Peaks[] => measured ?? []

export const peaksOf = (peaks: readonly Peaks[] | undefined, threads: number): Peaks | undefined => peaks?.find((one) => one.threads === threads)

const computePeak = (peaks: Peaks, precision: Work['precision']): number =>
  ({ f32: peaks.fmaGflops, bf16: peaks.bf16Gflops, int8: peaks.int8Gops })[precision]

/** `gflops` as a share of the peak of its precision. */
export const shareOfPeak = (peaks: Peaks | undefined, precision: Work['precision'], gflops: number): Pick<Measurement, 'share'> =>
  peaks === undefined ? {} : { share: { of: precision === 'f32' ? 'the FMA peak' : `the ${precision} peak`, value: gflops / computePeak(peaks, precision) } }

export const shareOfBandwidth = (peaks: Peaks | undefined, gigabytesPerSecond: number): Pick<Measurement, 'share'> =>
  peaks === undefined ? {} : { share: { of: 'the memory bandwidth', value: gigabytesPerSecond / peaks.readGBps } }
