// The reference backend: readable, exact, deterministic, in plain TypeScript; what other backends are compared with. It computes in
// double precision and rounds once where it stores. No named operation has a kernel of its own here: all are decomposed.
import type { Backend } from './backend.ts'
import { Buffers, maxBufferBytes, storedOf, type CpuBuffer } from './cpu/buffers.ts'
import { binary, cast, fill, iota, unary, where } from './cpu/elementwise.ts'
import { gather, scatterAdd } from './cpu/lookup.ts'
import { matMul } from './cpu/mat-mul.ts'
import { broadcastTo, concat, pad, permute, slice } from './cpu/movement.ts'
import { reduce } from './cpu/reduce.ts'
import { viewStored, type DType } from './dtype.ts'

export type { CpuBuffer } from './cpu/buffers.ts'

/** A backend in plain TypeScript. f32, f64, i32, u8, and f16 and bf16 by way of f32. */
export const createCpuBackend = (): Backend<CpuBuffer> => {
  const buffers = new Buffers()
  const makers = { fill, iota, unary, binary, where, cast, reduce, matMul, permute, broadcastTo, slice, pad, concat, gather, scatterAdd }
  const kernels = Object.fromEntries(Object.entries(makers).map(([name, make]) => [name, make(buffers)])) as Backend<CpuBuffer>['kernels']
  return {
    name: 'cpu',
    traits: { dtypes: new Set<DType>(['f32', 'f64', 'i32', 'u8', 'f16', 'bf16']), deterministic: true, maxBufferBytes },
    upload: (bits, _shape, dtype) => buffers.own(viewStored(bits, dtype).slice()),
    read: async (x) => {
      buffers.check()
      return storedOf(x).slice()
    },
    readSync: (x) => {
      buffers.check()
      return storedOf(x).slice()
    },
    free: (data) => buffers.free(data),
    memory: () => buffers.memory(),
    kernels,
    dispose: async () => buffers.dispose(),
  }
}
