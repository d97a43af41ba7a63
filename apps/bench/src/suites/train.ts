// Training steps of a small GPT with AdamW and clipping: tokens a second. The losses are real; data is random, which costs the same.
import { createRandomSource } from '@weft/contracts'
import { packDocuments, tokenCorpus, train as trainModel } from '@weft/trainer'
import { causal } from '@weft/trainer/objectives'
import { createModel } from '@weft/transformer'
import { startBackend, type BackendName } from '../backends.ts'
import { interleaved, type Subject } from '../measure.ts'
import { measurementsOf } from '../measurements.ts'
import { startPythonPeer } from '../python-peer.ts'
import type { Suite } from '../suite.ts'

interface Shape {
  readonly layers: number
  readonly width: number
  readonly heads: number
  readonly vocabulary: number
  readonly batch: number
  readonly length: number
}

const shapes: Readonly<Record<string, Shape>> = {
  'GPT 0.9M (4 layers, 4 heads, 128, V 512; B 12, T 64)': { layers: 4, width: 128, heads: 4, vocabulary: 512, batch: 12, length: 64 },
  'GPT 2.2M (4 layers, 4 heads, 192, V 2048; B 8, T 128)': { layers: 4, width: 192, heads: 4, vocabulary: 2048, batch: 8, length: 128 },
}
const quickShapes: Readonly<Record<string, Shape>> = { 'GPT tiny (1 layer, 2 heads, 32, V 128; B 2, T 16)': { layers: 1, width: 32, heads: 2, vocabulary: 128, batch: 2, length: 16 } }

const weftSubject = async (name: BackendName, shape: Shape, steps: number): Promise<Subject> => {
  const backend = await startBackend(name)
  const { layers, width, heads, vocabulary, batch, length } = shape
  const model = createModel({ family: 'llama', vocabSize: vocabulary, contextLength: length, dModel: width, numLayers: layers, numHeads: heads, numKvHeads: heads }, { backend, seed: 1 })
  const random = createRandomSource({ seed: 1 })
  const corpus = tokenCorpus([{ tokenIds: Int32Array.from({ length: 60_000 }, () => Math.floor(random.nextFloat() * vocabulary)) }])
  return {
    name: `weft on ${name}`,
    run: async () => {
      const events = trainModel({
        parameters: [...model.parameters().values()],
        objective: causal({ network: model }),
        batches: packDocuments({ corpus, sequenceLength: length, batchSize: batch, seed: 1 }),
        optimizer: { kind: 'adamW', learningRate: 1e-3 },
        steps,
        seed: 1,
      })
      for await (const event of events) if (event.kind === 'step' && !Number.isFinite(event.lossNats)) throw new Error(`${name}: the loss is not finite`)
      return steps * batch * length
    },
  }
}

export const train: Suite = {
  name: 'train',
  about: 'training steps of small GPTs, f32, tokens/s',
  async *run({ runs, isQuick, withPeers, note }) {
    const peer = withPeers ? await startPythonPeer('torch_peer.py', 'torch', note) : undefined
    const steps = isQuick ? 2 : 6
    try {
      for (const [name, shape] of Object.entries(isQuick ? quickShapes : shapes)) {
        const subjects = [await weftSubject('tfjs-wasm', shape, steps)]
        if (isQuick) subjects.push(await weftSubject('tfjs-cpu', shape, steps), await weftSubject('reference', shape, steps))
        if (peer !== undefined) subjects.push({ name: peer.name, run: () => peer.ask({ kind: 'train', steps, ...shape }).then(() => steps * shape.batch * shape.length) })
        yield* measurementsOf('train', name, 'tokens/s', 1, await interleaved(subjects, { runs }))
      }
      note('tfjs by itself cannot take part: its wasm backend has no gradient of an embedding')
    } finally {
      peer?.close()
    }
  },
}
