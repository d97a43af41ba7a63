// Weights from a file into parameters, one tensor at a time in the order of the file: read, upload, cast or transpose on the
// backend, free. Knows names and layouts only through families/.
import { ConfigError, FormatError, UnsupportedError } from '@weft/contracts'
import { keep, tensor, tidy, type Backend, type Tensor } from '@weft/tensor'
import { cast, concat, dequantize, packQuantized, permute, type QuantizedTensor } from '@weft/tensor/ops'
import { toFloat32, type TensorInfo, type WeightsFile } from '@weft/weights'
import { assembleModel, parameterOf } from './create-model.ts'
import type { FileTensor } from './families/family.ts'
import { families } from './families/families.ts'
import { ggufModelConfig, isGgufFile } from './gguf-config.ts'
import type { Model } from './model.ts'
import { validateModelConfig, type ModelConfig } from './model-config.ts'
import { nearestName } from './nearest-name.ts'
import { parameterList } from './parameter-list.ts'
import { disposeQuantized, quantizedFormatOf, separateHalves, uploadQuantized, type QuantizedPart } from './quantized-weights.ts'

export interface LoadModelOptions {
  readonly weights: WeightsFile
  /** Default: what a GGUF file says about itself; other files say nothing. */
  readonly config?: ModelConfig
  readonly backend: Backend
  /**
   * What the parameters are held in; default f32. bf16 needs a backend that has it; f64 is for reference runs on ./cpu. `quantized`:
   * matrices that a GGUF file has in blocks stay as they are, never widened; all else is f32.
   */
  readonly dtype?: 'f32' | 'bf16' | 'f64' | 'quantized'
  /** How quantized matrices meet activations outside of training: `int8` (default) is what integer kernels are fast at; `float` is exact. */
  readonly activations?: 'float' | 'int8'
  readonly signal?: AbortSignal
}

/**
 * A model with the weights of a file. Peak memory on the backend is the model and its two largest tensors.
 *
 * @throws FormatError when a tensor is missing, has another shape than the configuration says, or is one that the family does not know;
 *   UnsupportedError when the backend lacks the dtype.
 */
export const loadModel = async (options: LoadModelOptions): Promise<Model> => {
  const { weights, backend, activations = 'int8', signal } = options
  const keepsBlocks = options.dtype === 'quantized'
  const dtype = options.dtype === undefined || options.dtype === 'quantized' ? 'f32' : options.dtype
  const config = options.config ?? (isGgufFile(weights) ? ggufModelConfig(weights) : undefined)
  if (config === undefined) throw new ConfigError('loadModel: the weights say nothing about the model; pass config, for example parseModelConfig of its config.json')
  validateModelConfig(config)
  if (!backend.traits.dtypes.has(dtype)) throw new UnsupportedError(`loadModel: backend ${backend.name} has no ${dtype}; it has ${[...backend.traits.dtypes].join(', ')}`)
  const plan = planLoading(config, weights)
  const values = new Map<string, Tensor>()
  const parts = new Map<string, (Tensor | undefined)[]>()
  const quantized = new Map<string, readonly QuantizedTensor[]>()
  const blockParts = new Map<string, QuantizedPart[]>()
  try {
    for (const [name, info] of weights.tensors) {
      const target = plan.get(name)
      if (target === undefined) continue
      signal?.throwIfAborted()
      const stored = await weights.read(name, signal === undefined ? {} : { signal })
      const bytes = target.pairedHeads === undefined ? stored : separateHalves(stored, info.shape[0]!, target.pairedHeads)
      const format = quantizedFormatOf(info.dtype)
      if (keepsBlocks && format !== undefined) {
        const held = blockParts.get(target.parameter) ?? []
        held[target.index] = { format, shape: info.shape, bytes }
        blockParts.set(target.parameter, held)
        if (Object.keys(held).length < target.count) continue
        quantized.set(target.parameter, tidy(() => uploadQuantized(backend, held)).map((part) => ({ ...part, packed: keep(part.packed) })))
        blockParts.delete(target.parameter)
        continue
      }
      const value = keep(tidy(() => uploaded({ backend, dtype, info, bytes, isTransposed: target.isTransposed === true })))
      if (target.count === 1) values.set(target.parameter, value)
      else joinPart({ values, parts, target, value })
    }
    signal?.throwIfAborted()
    requireWhole(weights, blockParts)
    const parameters = parameterList(config).filter((spec) => !quantized.has(spec.name))
    return assembleModel(config, backend, parameters.map((spec) => parameterOf(spec, values.get(spec.name)!)), dtype, { quantized, activations })
  } catch (error) {
    disposeQuantized(quantized.values())
    for (const x of [...values.values(), ...[...parts.values()].flat()]) x?.dispose()
    throw error
  }
}

/** @throws UnsupportedError where some rows of a parameter are in blocks that can stay and others are not. */
const requireWhole = (weights: WeightsFile, blockParts: ReadonlyMap<string, unknown>): void => {
  const [name] = blockParts.keys()
  if (name !== undefined) throw new UnsupportedError(`${weights.name}: some of the tensors of ${name} are quantized in a way that is computed with here, others are not; load it with dtype 'f32'`)
}

/** A tensor of the file, and which of how many parts of its parameter it is. */
interface Target extends FileTensor {
  readonly index: number
  readonly count: number
}

/** The file's name of each tensor that is wanted. @throws FormatError where file and configuration disagree. */
const planLoading = (config: ModelConfig, weights: WeightsFile): ReadonlyMap<string, Target> => {
  const family = families[config.family]
  const layout = isGgufFile(weights) ? { ...family.gguf, basePrefix: '' } : family
  const shapes = new Map(parameterList(config).map((spec) => [spec.name, spec.shape]))
  const plan = new Map<string, Target>()
  const groups = new Map<string, FileTensor[]>()
  for (const wanted of layout.fileTensors(config)) groups.set(wanted.parameter, [...(groups.get(wanted.parameter) ?? []), wanted])
  const bareName = (file: string): string => (file.startsWith(layout.basePrefix) ? file.slice(layout.basePrefix.length) : file)
  const expected = new Set([...groups.values()].flat().flatMap(({ file }) => [file, bareName(file)]))
  for (const [parameter, group] of groups) {
    group.forEach((wanted, index) => {
      const name = foundName(wanted.file, { bareName, weights, expected })
      requireShape(weights, name, wanted, shapes.get(parameter)!)
      plan.set(name, { ...wanted, index, count: group.length })
    })
  }
  const isExpected = (name: string): boolean =>
    plan.has(name) || layout.ignored.some((pattern) => pattern.test(name)) || (config.tieEmbeddings && name === 'lm_head.weight')
  const unknown = [...weights.tensors.keys()].filter((name) => !isExpected(name))
  if (unknown.length > 0) {
    const some = unknown.slice(0, 5).join(', ') + (unknown.length > 5 ? ` … (${unknown.length} in all)` : '')
    throw new FormatError(`holds tensors that a ${config.family} model of this configuration does not have: ${some}; config.json and weights do not belong together`, { source: weights.name })
  }
  return plan
}

/** Files of the bare base model leave the prefix out. What is missing may be there under a name that nobody expects. */
const foundName = (file: string, options: { readonly bareName: (file: string) => string; readonly weights: WeightsFile; readonly expected: ReadonlySet<string> }): string => {
  const { bareName, weights, expected } = options
  const found = [file, bareName(file)].find((name) => weights.tensors.has(name))
  if (found !== undefined) return found
  const near = nearestName(file, [...weights.tensors.keys()].filter((name) => !expected.has(name)))
  throw new FormatError(`has no tensor ${file}${near === undefined ? '' : `; the nearest name is ${near}`}`, { source: weights.name })
}

const requireShape = (weights: WeightsFile, name: string, { rows, isTransposed }: FileTensor, parameterShape: readonly number[]): void => {
  const [out, ...rest] = parameterShape as [number, ...number[]]
  const stored = [rows?.count ?? out, ...rest]
  const expected = isTransposed === true ? stored.reverse() : stored
  const { shape } = weights.tensors.get(name)!
  if (shape.length === expected.length && shape.every((size, i) => size === expected[i])) return
  throw new FormatError(`${name} is [${shape.join(', ')}] where the configuration asks for [${expected.join(', ')}]`, { source: weights.name })
}

const uploaded = (options: { readonly backend: Backend; readonly dtype: 'f32' | 'bf16' | 'f64'; readonly info: TensorInfo; readonly bytes: Uint8Array; readonly isTransposed: boolean }): Tensor => {
  const { backend, dtype, info, bytes, isTransposed } = options
  const format = quantizedFormatOf(info.dtype)
  if (format !== undefined) return cast(dequantize(packQuantized({ format, shape: info.shape, packed: tensor(backend, bytes, [bytes.length]) })), dtype)
  const narrow = info.dtype === 'F16' ? 'f16' : info.dtype === 'BF16' ? 'bf16' : undefined
  // Two bytes travel instead of four where the backend can widen them itself.
  const raw =
    narrow !== undefined && backend.traits.dtypes.has(narrow)
      ? tensor(backend, new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2), info.shape, { dtype: narrow })
      : tensor(backend, toFloat32(info.dtype, bytes), info.shape, { dtype: dtype === 'bf16' ? 'bf16' : 'f32' })
  const value = cast(raw, dtype)
  return isTransposed ? permute(value, [1, 0]) : value
}

/** Keeps a part until its parameter is whole, then joins and frees the parts. */
const joinPart = (options: { readonly values: Map<string, Tensor>; readonly parts: Map<string, (Tensor | undefined)[]>; readonly target: Target; readonly value: Tensor }): void => {
  const { values, parts, target, value } = options
  const held = parts.get(target.parameter) ?? new Array<Tensor | undefined>(target.count).fill(undefined)
  held[target.index] = value
  parts.set(target.parameter, held)
  const whole = held.filter((x) => x !== undefined)
  if (whole.length < target.count) return
  values.set(target.parameter, keep(tidy(() => concat(whole, 0))))
  for (const x of whole) x.dispose()
  parts.delete(target.parameter)
}
