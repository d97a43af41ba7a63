// The native backend and what it measures of the machine: the limits that figures are shares of.
import { UnsupportedError } from '@weft/contracts'
import type { Backend } from '@weft/tensor'

/** Limits of this machine with so many threads, measured by loops that do nothing else. */
export interface Peaks {
  readonly threads: number
  readonly fmaGflops: number
  readonly bf16Gflops: number
  readonly int8Gops: number
  readonly readGBps: number
}

interface NativeModule {
  createNativeBackend(options: { threads?: number }): Backend | Promise<Backend>
}

interface PeaksModule {
  measurePeaks(): readonly Peaks[] | Promise<readonly Peaks[]>
}

const load = async <T>(specifier: string): Promise<T> => {
  try {
    return (await import(specifier)) as T
  } catch (cause) {
    throw new UnsupportedError(`${specifier} is not here: expected the package, built; \`npm run setup\` builds it where a C++ compiler is installed`, { cause })
  }
}

export const createNative = async (options: { readonly threads?: number }): Promise<Backend> =>
  (await load<NativeModule>('@weft/backend-native')).createNativeBackend(options)

/** @throws where the native backend is not there. */
export const measurePeaks = async (): Promise<readonly Peaks[]> => (await load<PeaksModule>('@weft/backend-native/bench')).measurePeaks()
