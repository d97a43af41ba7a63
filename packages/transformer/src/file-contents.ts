// Files as @weft/sources takes them: small ones as bytes, tensors as a stream that reads one at a time from the backend.
import type { Json } from '@weft/contracts'
import type { FileContent } from '@weft/sources'
import { read, tidy, type Parameter, type Tensor } from '@weft/tensor'
import { permute, slice } from '@weft/tensor/ops'
import { writeSafetensors, type TensorToWrite } from '@weft/weights'

export const jsonFile = (value: Json): FileContent => new TextEncoder().encode(JSON.stringify(value, null, 2) + '\n')

/** A parameter, or some of its rows, under a file's name. */
export interface TensorOfParameter {
  readonly name: string
  readonly parameter: Parameter
  readonly rows?: { readonly start: number; readonly count: number }
  readonly isTransposed?: boolean
}

/** f32 masters where there are any, so that mixed precision loses nothing; bf16 values without one stay bf16. */
export const safetensorsFile =
  (tensors: readonly TensorOfParameter[]): FileContent =>
  (sink) =>
    // Readers of Hugging Face look for this line to know that they may read at all.
    writeSafetensors(tensors.map(tensorToWrite), sink, { metadata: { format: 'pt' } })

const tensorToWrite = ({ name, parameter, rows, isTransposed }: TensorOfParameter): TensorToWrite => {
  const source = parameter.master ?? parameter.value
  const [out, ...rest] = source.shape as [number, ...number[]]
  const shape = [rows?.count ?? out, ...rest]
  const isNarrow = source.dtype === 'bf16'
  return {
    name,
    dtype: isNarrow ? 'BF16' : 'F32',
    shape: isTransposed === true ? [...shape].reverse() : shape,
    read: async () => {
      const part = tidy(() => arranged(parameter.master ?? parameter.value, rows, isTransposed === true))
      try {
        const values = await read(part ?? parameter.master ?? parameter.value, { raw: isNarrow })
        const stored = isNarrow || values instanceof Float32Array ? values : Float32Array.from(values)
        return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)
      } finally {
        part?.dispose()
      }
    },
  }
}

/** A new tensor in the file's layout, or undefined where the parameter itself is that. */
const arranged = (source: Tensor, rows: TensorOfParameter['rows'], isTransposed: boolean): Tensor | undefined => {
  const part =
    rows === undefined
      ? undefined
      : slice(source, [rows.start, ...source.shape.slice(1).map(() => 0)], [rows.count, ...source.shape.slice(1)])
  return isTransposed ? permute(part ?? source, [1, 0]) : part
}
