// The little of TensorFlow.js that this package touches, as types: `tf` is passed in, never imported. Both @tensorflow/tfjs-core and
// the whole @tensorflow/tfjs satisfy it.

export type TfDType = 'float32' | 'int32' | 'bool'

/** What tfjs kernels take and give: a data id with a shape. */
export interface TfInfo {
  readonly dataId: object
  readonly shape: number[]
  readonly dtype: string
}

export interface TfKernelConfig {
  kernelFunc(call: { inputs: never; attrs?: never; backend: object }): TfInfo | TfInfo[]
}

/**
 * The `tf` that `createTfjsBackend` works with: `import * as tf from '@tensorflow/tfjs-core'`, with a backend package imported
 * beside it.
 */
export interface TfModule {
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  getBackend(): string
  findBackend(name: string): object
  getKernel(kernelName: string, backendName: string): object | undefined
}

/** A backend of tfjs, as far as it is used directly. */
export interface TfBackend {
  write(values: ArrayBufferView, shape: number[], dtype: string): object
  read(dataId: object): Promise<ArrayBufferView>
  readSync(dataId: object): ArrayBufferView
  disposeData(dataId: object, force?: boolean): boolean
}
