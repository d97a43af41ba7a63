// Causal attention, forward and backward, over sequence lengths. As many tokens at every length, so that a long sequence does not
// take all the time.
import { randomKey, random, readScalar, tidy, valueAndGrad, createParameter, type Backend, type Parameter, type Tensor } from '@weft/tensor'
import { attention as attend, cast, reshape, slice, sum } from '@weft/tensor/ops'
import { startBackend, startIfThere, weftOn, type BackendName } from '../backends.ts'
import { threadsText } from '../table.ts'
import { interleaved, type Subject } from '../measure.ts'
import { measurementsOf } from '../measurements.ts'
import { numberOf } from '../line-peer.ts'
import { machinePeaks, peaksOf, shareOfPeak } from '../peaks.ts'
import { startPythonPeer, type PythonPeer } from '../python-peer.ts'
import type { Suite, SuiteContext } from '../suite.ts'

interface Shape {
  readonly batch: number
  readonly heads: number
  readonly length: number
  readonly headDim: number
  readonly dtype: 'f32' | 'bf16'
}

const shapeOf = (length: number, dtype: Shape['dtype'], isQuick: boolean): Shape =>
  isQuick ? { batch: 2, heads: 2, length, headDim: 16, dtype } : { batch: Math.max(1, 2048 / length), heads: 12, length, headDim: 64, dtype }

/** Two products forward, five backward (the scores are made anew), each over half of the square. */
const flopsOf = ({ batch, heads, length, headDim }: Shape): number => (7 * 2 * batch * heads * length ** 2 * headDim) / 2

const titleOf = ({ batch, heads, length, headDim, dtype }: Shape): string => `T ${length} (B ${batch}, ${heads} heads of ${headDim}), ${dtype}`

interface OwnSubject extends Subject {
  dispose(): void
}

const weftSubject = (name: BackendName, backend: Backend, shape: Shape, times: number, threads: number): OwnSubject => {
  const { batch, heads, length, headDim, dtype } = shape
  const make = (label: string): Tensor =>
    tidy(() => {
      const values = random(backend, [batch, length, heads, headDim], { key: randomKey(1, label), distribution: 'normal' })
      return dtype === 'f32' ? values : cast(values, dtype)
    })
  const inputs: Parameter[] = ['q', 'k', 'v'].map((label) => createParameter({ name: label, value: make(label), role: 'matrix' }))
  const [q, k, v] = inputs as [Parameter, Parameter, Parameter]
  const gradients = (): Tensor[] => {
    // A sum is the cheapest way to a scalar: its gradient is ones, for which the backward pass has as much to do as for any other.
    const mixed = (): Tensor => attend({ q: q.value, k: k.value, v: v.value }, { causal: true, scale: headDim ** -0.5 })
    const loss = (): { value: Tensor } => ({ value: sum(dtype === 'f32' ? mixed() : cast(mixed(), 'f32')) })
    const { result, gradients: found } = valueAndGrad(loss, inputs)
    result.value.dispose()
    return found
  }
  return {
    name: weftOn(name, threads),
    id: name,
    run: async () => {
      for (let i = 1; i < times; i++) for (const one of gradients()) one.dispose()
      const last = gradients()
      const corner = tidy(() => cast(slice(reshape(last[0]!, [batch * length * heads * headDim]), [0], [1]), 'f32'))
      for (const one of last) one.dispose()
      await readScalar(corner)
      corner.dispose()
      return times * flopsOf(shape)
    },
    dispose: () => {
      for (const { value } of inputs) value.dispose()
    },
  }
}

const torchSubject = (peer: PythonPeer, shape: Shape, times: number, threads: number): Subject => ({
  name: `${peer.name} scaled_dot_product_attention, ${threadsText(threads)}`,
  id: 'torch',
  run: async () => ({ units: times * flopsOf(shape), seconds: numberOf(await peer.ask({ kind: 'attention', times, ...shape }), 'seconds') }),
})

/** wasm takes part where it does not take minutes. */
const ownSubjects = async (native: Backend | undefined, shape: Shape, times: number, { isQuick, threads }: SuiteContext): Promise<OwnSubject[]> => {
  const own: OwnSubject[] = []
  if (native !== undefined && native.traits.dtypes.has(shape.dtype)) own.push(weftSubject('native', native, shape, times, threads))
  if (shape.dtype === 'f32' && shape.length <= 256) own.push(weftSubject('tfjs-wasm', await startBackend('tfjs-wasm'), shape, 1, 1))
  if (shape.dtype === 'f32' && isQuick) own.push(weftSubject('reference', await startBackend('reference'), shape, 1, 1))
  return own
}

export const attention: Suite = {
  name: 'attention',
  about: 'causal attention forward and backward over sequence lengths, GFLOP/s',
  async *run(context) {
    const { runs, isQuick, withPeers, threads, note } = context
    const peak = peaksOf(await machinePeaks(context), threads)
    const native = await startIfThere('native', context)
    const peer = withPeers ? await startPythonPeer('torch_peer.py', 'torch', note, { threads }) : undefined
    try {
      for (const dtype of ['f32', 'bf16'] as const) {
        for (const length of isQuick ? [16, 32] : [256, 512, 1024, 2048]) {
          const shape = shapeOf(length, dtype, isQuick)
          const times = isQuick ? 1 : Math.max(1, Math.round(4e9 / flopsOf(shape)))
          const own = await ownSubjects(native, shape, times, context)
          if (own.length === 0) continue
          const subjects = [...own, ...(peer === undefined ? [] : [torchSubject(peer, shape, times, threads)])]
          const scaling = { plot: `Attention forward and backward, ${dtype}`, xLabel: 'sequence length', x: length }
          try {
            const samples = await interleaved(subjects, { runs })
            yield* measurementsOf('attention', titleOf(shape), 'GFLOP/s', 1e9, samples, ({ id, value }) => ({ scaling, ...(id === 'native' || id === 'torch' ? shareOfPeak(peak, dtype, value) : {}) }))
          } finally {
            for (const one of own) one.dispose()
          }
        }
      }
    } finally {
      peer?.close()
      await native?.dispose()
    }
  },
}
