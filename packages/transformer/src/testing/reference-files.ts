// A reference folder: a tiny model and what PyTorch computed with it, as tensors and as JSON. Opened through byte sources, so that a
// browser can run it as well as Node.
import type { Json } from '@weft/contracts'
import { readWhole, type ByteSource } from '@weft/sources'
import { openSafetensors, toFloat32, type WeightsFile } from '@weft/weights'

export interface ReferenceFolder {
  /** Opens `config.json`, `model.safetensors`, `expected.json`, `expected.safetensors` of the folder. */
  open(file: string): Promise<ByteSource>
}

/** How far a result is from the reference. */
export interface Deviation {
  readonly quantity: string
  /** The largest absolute difference; NaN where shapes or tokens differ. */
  readonly largest: number
  readonly tolerance: number
  readonly passes: boolean
}

export const deviation = (quantity: string, largest: number, tolerance: number): Deviation => ({ quantity, largest, tolerance, passes: largest <= tolerance })

/** The largest |got − expected|, or NaN where there are not as many, or where one is NaN. */
export const largestDifference = (got: ArrayLike<number>, expected: ArrayLike<number>): number => {
  if (got.length !== expected.length) return NaN
  let largest = 0
  for (let i = 0; i < got.length; i++) {
    const difference = Math.abs(got[i]! - expected[i]!)
    if (!(difference <= largest)) largest = difference
    if (Number.isNaN(difference)) return NaN
  }
  return largest
}

export const readJsonFile = async (folder: ReferenceFolder, file: string): Promise<Json> => {
  const source = await folder.open(file)
  try {
    return JSON.parse(new TextDecoder().decode(await readWhole(source))) as Json
  } finally {
    await source.close?.()
  }
}

/** Every tensor of `expected.safetensors` as f32 (ids are small enough), with its shape. */
export const readExpected = async (folder: ReferenceFolder): Promise<Map<string, { values: Float32Array; shape: readonly number[] }>> => {
  const file = await openFile(folder, 'expected.safetensors')
  try {
    const tensors = new Map<string, { values: Float32Array; shape: readonly number[] }>()
    for (const [name, { dtype, shape }] of file.tensors) tensors.set(name, { values: toFloat32(dtype, await file.read(name)), shape })
    return tensors
  } finally {
    await file.close()
  }
}

export const openFile = async (folder: ReferenceFolder, file: string): Promise<WeightsFile> => openSafetensors(await folder.open(file))
