// Everything that an exact resume needs, in one safetensors file: values or masters, optimizer state, step counts; position, seed and
// the run's description in its metadata. Nothing else is read to resume.
import { ConfigError, FormatError, type Json } from '@weft/contracts'
import type { ByteSource, FileContent } from '@weft/sources'
import { read, tensor, tidy, type Backend, type Tensor } from '@weft/tensor'
import { cast } from '@weft/tensor/ops'
import { openSafetensors, writeSafetensors, type TensorToWrite } from '@weft/weights'
import type { OptimizerState } from './optimizer-state.ts'

const formatVersion = 1

export interface RunPosition {
  /** Updates made. */
  readonly step: number
  /** Of the last batch that was used; null before the first. */
  readonly position: Json
  /** What must be equal for a resume to be exact: field → JSON. */
  readonly fingerprint: Readonly<Record<string, Json>>
}

interface NamedTensor {
  readonly name: string
  readonly get: () => Tensor
}

/** Every tensor of the state under its name. Masters stand for bf16 values: the value is the rounded master. */
const stateTensors = (optimizer: OptimizerState): NamedTensor[] =>
  optimizer.groups.flatMap((group, g) => [
    ...group.parameters.map((parameter) => ({ name: `values/${parameter.name}`, get: () => parameter.master ?? parameter.value })),
    ...optimizer.stateNames.flatMap((list, l) => group.parameters.map((parameter, i) => ({ name: `${list}/${parameter.name}`, get: () => optimizer.lists[g]![l]![i]! }))),
    ...group.parameters.map((parameter) => ({ name: `steps/${parameter.name}`, get: () => optimizer.steps[g]! })),
  ])

/** The file's content; its tensors are read from the device while it is written, so no step may run meanwhile. */
export const trainingStateContent = (optimizer: OptimizerState, run: RunPosition): FileContent => async (sink) => {
  const tensors: TensorToWrite[] = stateTensors(optimizer).map(({ name, get }) => ({
    name,
    dtype: 'F32',
    shape: get().shape,
    read: async () => bytesOf(await read(get())),
  }))
  await writeSafetensors(tensors, sink, { metadata: { format: 'weft-training-state', version: String(formatVersion), run: JSON.stringify(run) } })
}

const bytesOf = (values: ArrayBufferView): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

/**
 * Puts a saved state back into parameters and optimizer.
 * @throws FormatError for a broken file; ConfigError when it belongs to another run, naming the field that differs.
 */
export const restoreTrainingState = async (source: ByteSource, optimizer: OptimizerState, fingerprint: RunPosition['fingerprint'], backend: Backend): Promise<RunPosition> => {
  const file = await openSafetensors(source)
  try {
    const run = parseRun(file.metadata.get('run'), source.name)
    compareFingerprints(run.fingerprint, fingerprint, source.name)
    const loaded = new Map<string, Tensor>()
    for (const { name, get } of stateTensors(optimizer)) {
      const info = file.tensors.get(name)
      if (info === undefined) throw new ConfigError(`${source.name}: has no ${name}; the checkpoint belongs to another model or another list of trained parameters`)
      if (info.shape.join() !== get().shape.join()) throw new ConfigError(`${source.name}: ${name} is [${info.shape.join(', ')}], this model's is [${get().shape.join(', ')}]`)
      const bytes = await file.read(name)
      loaded.set(name, tensor(backend, new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4), info.shape))
    }
    adopt(optimizer, loaded)
    return run
  } finally {
    await file.close()
  }
}

const adopt = (optimizer: OptimizerState, loaded: ReadonlyMap<string, Tensor>): void => {
  tidy(() => {
    for (const group of optimizer.groups) {
      for (const parameter of group.parameters) {
        const value = loaded.get(`values/${parameter.name}`)!
        if (parameter.master === undefined) parameter.assign({ value })
        else parameter.assign({ value: cast(value, parameter.value.dtype), master: value })
      }
    }
  })
  optimizer.replace(
    optimizer.groups.map((group) => optimizer.stateNames.map((list) => group.parameters.map(({ name }) => loaded.get(`${list}/${name}`)!))),
    optimizer.groups.map((group) => loaded.get(`steps/${group.parameters[0]!.name}`)!),
  )
  for (const group of optimizer.groups) for (const { name } of group.parameters.slice(1)) loaded.get(`steps/${name}`)!.dispose()
}

const parseRun = (text: Json | undefined, name: string): RunPosition => {
  try {
    const run = JSON.parse(String(text)) as RunPosition
    if (Number.isInteger(run.step) && typeof run.fingerprint === 'object') return run
  } catch {
    // falls through to the one error below
  }
  throw new FormatError('expected the state of a Weft training run (metadata field "run" with step, position and fingerprint)', { source: name })
}

const compareFingerprints = (saved: RunPosition['fingerprint'], now: RunPosition['fingerprint'], name: string): void => {
  for (const key of new Set([...Object.keys(saved), ...Object.keys(now)])) {
    const [before, after] = [JSON.stringify(saved[key] ?? null), JSON.stringify(now[key] ?? null)]
    if (before !== after) throw new ConfigError(`${name}: cannot be resumed exactly: ${key} was ${before} and is now ${after}. Use the old setting, or start a new run from the checkpoint's model`)
  }
}
