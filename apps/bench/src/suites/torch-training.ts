// A training run of PyTorch that takes turns with ours.
import type { TokenBatch } from '@weft/tensor'
import { threadsText } from '../table.ts'
import type { GptShape } from '../gpt-shapes.ts'
import { numberOf, numbersOf } from '../line-peer.ts'
import type { Subject } from '../measure.ts'
import type { PythonPeer } from '../python-peer.ts'

export interface TorchRunOptions {
  readonly shape: GptShape
  readonly precision: 'f32' | 'bf16'
  readonly isCompiled: boolean
  readonly threads: number
  /** A file of float32 values end to end, and the names in its order; absent: random ones. */
  readonly weights?: string
  readonly names?: readonly string[]
  readonly batches: readonly TokenBatch[]
}

export interface TorchRun {
  readonly subject: Subject
  readonly losses: readonly number[]
  dispose(): Promise<void>
}

export const startTorchRun = async (peer: PythonPeer, options: TorchRunOptions): Promise<TorchRun> => {
  const { shape, precision, isCompiled, threads, weights, names, batches } = options
  const id = isCompiled ? 'torch-compile' : 'torch'
  const { learningRate, weightDecay, clip, stepsPerRun: steps } = shape
  await peer.ask({
    kind: 'batches',
    batch: shape.batch,
    length: shape.length,
    batches: batches.map(({ tokenIds, targetIds }) => ({ ids: [...tokenIds], targets: [...targetIds!] })),
  })
  await peer.ask({ kind: 'create', id, shape, weights, names, learningRate, weightDecay, clip, compile: isCompiled, bf16: precision === 'bf16' })
  const losses: number[] = []
  const how = `${isCompiled ? 'torch.compile' : 'eager'}${precision === 'bf16' ? ', bf16 autocast' : ''}`
  return {
    losses,
    subject: {
      name: `${peer.name} ${how}, ${threadsText(threads)}`,
      id,
      run: async () => {
        const reply = await peer.ask({ kind: 'train', id, from: losses.length, steps })
        losses.push(...numbersOf(reply, 'losses'))
        return { units: steps * shape.batch * shape.length, seconds: numberOf(reply, 'seconds') }
      },
    },
    dispose: async () => void (await peer.ask({ kind: 'drop', id })),
  }
}
