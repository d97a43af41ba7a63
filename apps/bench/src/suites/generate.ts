// Generation: greedy decoding of a small model on every backend, and SmolLM2-135M beside llama.cpp.
import type { Backend } from '@weft/tensor'
import { createModel, generate as generateTokens } from '@weft/transformer'
import { startBackend, startIfThere, weftOn, type BackendName } from '../backends.ts'
import { interleaved, type Subject } from '../measure.ts'
import { measurementsOf } from '../measurements.ts'
import type { Measurement, Suite, SuiteContext } from '../suite.ts'
import { promptedModel } from './prompted-model.ts'

const smallSubject = async (name: BackendName, backend: Backend, width: number, tokens: number, threads: number): Promise<Subject> => {
  const model = createModel({ family: 'llama', vocabSize: 2048, contextLength: 256, dModel: width, numLayers: 4, numHeads: 4, numKvHeads: 2 }, { backend, seed: 1 })
  const tokenIds = Uint32Array.from({ length: 16 }, (_, i) => 1 + i)
  return {
    name: weftOn(name, threads),
    id: name,
    run: async () => {
      let count = 0
      for await (const event of generateTokens({ model, tokenIds, maxNewTokens: tokens, sampling: { temperature: 0 } })) if (event.kind === 'token') count++
      return count
    },
  }
}

/** So that what tfjs does stays in view. */
async function* smallModel(context: SuiteContext): AsyncGenerator<Measurement> {
  const { runs, isQuick, threads } = context
  const [tokens, width] = isQuick ? [4, 32] : [64, 192]
  const native = await startIfThere('native', context)
  try {
    const subjects = native === undefined ? [] : [await smallSubject('native', native, width, tokens, threads)]
    for (const name of ['tfjs-wasm', ...(isQuick ? ['reference'] : [])] as BackendName[]) subjects.push(await smallSubject(name, await startBackend(name), width, tokens, threads))
    yield* measurementsOf('generate', `Llama, 4 layers, ${width}; 16 tokens of prompt, ${tokens} new`, 'tokens/s', 1, await interleaved(subjects, { runs }))
  } finally {
    await native?.dispose()
  }
}

export const generate: Suite = {
  name: 'generate',
  about: 'prefill and greedy decoding with a kvCache, tokens/s',
  async *run(context) {
    yield* smallModel(context)
    yield* promptedModel(context)
  },
}
