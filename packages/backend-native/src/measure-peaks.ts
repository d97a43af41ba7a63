// What the machine can do at most, by the instructions that the kernels use: the limits that a bench compares with.
import type { NativeBackend, NativeBuffer } from './create-native-backend.ts'
import type { Kernel } from '@weft/tensor'

/** Over all of the backend's threads; 0 where the processor has no instruction for it (at the backend's instruction set). */
export interface Peaks {
  /** float32; a multiply-add counts two. */
  readonly fmaGflops: number
  /** bfloat16 inputs, float32 sums. */
  readonly bf16Gflops: number
  /** int8 inputs, int32 sums; a multiply-add counts two. */
  readonly int8Gops: number
  /** 10⁹ bytes a second, read in order from a buffer that no cache holds. */
  readonly readGBps: number
}

/** Some 20 µs a piece of work. */
const iterations = 20_000
const bytes = 256 * 2 ** 20

/**
 * Runs each for some milliseconds, several times, and gives the best. Nothing else should run meanwhile.
 * @throws WeftError where memory is short.
 */
export const measurePeaks = async (backend: NativeBackend): Promise<Peaks> => ({
  fmaGflops: await measure(backend, 'measureFma', { iterations }),
  bf16Gflops: await measure(backend, 'measureBf16', { iterations }),
  int8Gops: await measure(backend, 'measureInt8', { iterations }),
  readGBps: await measure(backend, 'measureRead', { bytes }),
})

const measure = async (backend: NativeBackend, name: string, attrs: Readonly<Record<string, number>>): Promise<number> => {
  const output = { shape: [1], dtype: 'f32' } as const
  const [data] = (backend.kernels[name] as Kernel<NativeBuffer>)({ inputs: [], donated: [], attrs, outputs: [output] }) as readonly [NativeBuffer]
  try {
    const bits = await backend.read({ ...output, data })
    return new Float32Array(bits.buffer, bits.byteOffset, 1)[0]!
  } finally {
    backend.free(data)
  }
}
