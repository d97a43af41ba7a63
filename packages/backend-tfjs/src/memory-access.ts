// Two backends of tfjs keep tensors where TypeScript can see them: cpu in typed arrays, wasm on the heap of its module. There, loops of
// our own run on the data in place. Everywhere else (webgl, webgpu, tfjs-node) data is reached through tfjs kernels alone.
import type { TfBackend, TfDType } from './tf-module.ts'

export type View = Float32Array | Int32Array | Uint8Array

/** Access to the memory of a backend. A view lasts until the next allocation: wasm's heap may move when it grows. */
export interface MemoryAccess {
  /** A buffer of undefined content. */
  allocate(size: number, dtype: TfDType): object
  view(dataId: object, size: number, dtype: TfDType): View
  /** What a tfjs kernel made, in the form that `view` can show. @throws RangeError where there was no memory for it. */
  settle(dataId: object, size: number, dtype: TfDType): object
  /** wasm alone. */
  readonly heap?: WasmHeap
}

export interface WasmHeap {
  /** A data id for part of another's memory, to be given to `forget` before that is freed. */
  part(dataId: object, offset: number, size: number): object
  forget(part: object): void
  /** The same memory under a new data id. XNNPACK keeps packed weights by id: what was written in place needs another one. */
  renew(dataId: object, size: number): object
}

interface CpuData {
  firstUse?: boolean
  readonly data: { get(dataId: object): { readonly values: View } }
}

interface WasmData {
  makeOutput(shape: number[], dtype: string, memoryOffset?: number): { dataId: object }
  typedArrayFromHeap(x: { dataId: object; shape: number[]; dtype: string }): View
  readonly dataIdMap: { get(dataId: object): { memoryOffset: number } }
}

const viewTypes = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

/** How to reach the memory of this backend, or undefined where it is out of reach. */
export const memoryAccess = (name: string, backend: TfBackend): MemoryAccess | undefined => {
  if (name === 'cpu' && 'data' in backend) return cpuAccess(backend as TfBackend & CpuData)
  if (name === 'wasm' && 'typedArrayFromHeap' in backend && 'makeOutput' in backend && 'dataIdMap' in backend) return wasmAccess(backend as unknown as TfBackend & WasmData)
  return undefined
}

const cpuAccess = (backend: TfBackend & CpuData): MemoryAccess => {
  // Else the first tensor makes tfjs print an advertisement for tfjs-node.
  backend.firstUse = false
  return cpuMemory(backend)
}

const cpuMemory = (backend: TfBackend & CpuData): MemoryAccess => ({
  allocate: (size, dtype) => backend.write(new viewTypes[dtype](size), [size], dtype),
  view: (dataId) => backend.data.get(dataId).values,
  settle: (dataId, size, dtype) => {
    const { values } = backend.data.get(dataId)
    if (values instanceof viewTypes[dtype]) return dataId
    // Some cpu kernels leave plain arrays or arrays of another type behind.
    backend.disposeData(dataId)
    return backend.write(viewTypes[dtype].from(values as ArrayLike<number>), [size], dtype)
  },
})

const wasmAccess = (backend: TfBackend & WasmData): MemoryAccess => {
  const part = (dataId: object, offset: number, size: number): object =>
    backend.makeOutput([size], 'float32', backend.dataIdMap.get(dataId).memoryOffset + 4 * offset).dataId
  // An id with address 0 frees nothing when it goes: free(0) is defined to do nothing.
  const forget = (dataId: object): void => {
    backend.dataIdMap.get(dataId).memoryOffset = 0
    backend.disposeData(dataId)
  }
  return {
    allocate: (size, dtype) => checkedAddress(backend, backend.makeOutput([size], dtype).dataId),
    view: (dataId, size, dtype) => backend.typedArrayFromHeap({ dataId, shape: [size], dtype }),
    settle: (dataId) => checkedAddress(backend, dataId),
    heap: {
      part,
      forget,
      renew: (dataId, size) => {
        const renewed = part(dataId, 0, size)
        forget(dataId)
        return renewed
      },
    },
  }
}

/** tfjs does not look at what malloc returns: 0 means that the heap is full, and writing there would destroy other tensors. */
const checkedAddress = (backend: TfBackend & WasmData, dataId: object): object => {
  if (backend.dataIdMap.get(dataId).memoryOffset !== 0) return dataId
  backend.disposeData(dataId)
  throw new RangeError('the heap of the wasm module is full')
}
