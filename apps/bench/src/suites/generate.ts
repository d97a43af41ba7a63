// Decoding with a kvCache: tokens a second after a short prompt, weights random.
import { createModel, generate as generateTokens } from '@weft/transformer'
import { startBackend, type BackendName } from '../backends.ts'
import { interleaved, type Subject } from '../measure.ts'
import { measurementsOf } from '../measurements.ts'
import type { Suite } from '../suite.ts'

const subject = async (name: BackendName, tokens: number, width: number): Promise<Subject> => {
  const backend = await startBackend(name)
  const model = createModel({ family: 'llama', vocabSize: 2048, contextLength: 256, dModel: width, numLayers: 4, numHeads: 4, numKvHeads: 2 }, { backend, seed: 1 })
  const tokenIds = Uint32Array.from({ length: 16 }, (_, i) => 1 + i)
  return {
    name: `weft on ${name}`,
    run: async () => {
      let count = 0
      for await (const event of generateTokens({ model, tokenIds, maxNewTokens: tokens, sampling: { temperature: 0 } })) if (event.kind === 'token') count++
      return count
    },
  }
}

export const generate: Suite = {
  name: 'generate',
  about: 'greedy decoding with a kvCache, tokens/s',
  async *run({ runs, isQuick }) {
    const [tokens, width] = isQuick ? [4, 32] : [64, 192]
    const subjects = [await subject('tfjs-wasm', tokens, width)]
    if (isQuick) subjects.push(await subject('reference', tokens, width))
    yield* measurementsOf('generate', `Llama, 4 layers, ${width}; 16 tokens of prompt, ${tokens} new`, 'tokens/s', 1, await interleaved(subjects, { runs }))
  },
}
