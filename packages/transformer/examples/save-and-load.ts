// A model and an adapter written as Hugging Face's transformers and PEFT read them, and opened again.
//
//     node --conditions=@weft/source examples/save-and-load.ts
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCpuBackend } from '@weft/tensor/cpu'
import { createAdapter, createModel, generate, mergeAdapter } from '@weft/transformer'
import { loadPretrained, loadPretrainedAdapter, saveAdapter, saveModel } from '@weft/transformer/node'

const backend = createCpuBackend()
const folder = await mkdtemp(join(tmpdir(), 'weft-example-'))
try {
  const model = createModel({ family: 'llama', vocabSize: 128, contextLength: 32, dModel: 32, numLayers: 2, numHeads: 4, numKvHeads: 2 }, { backend, seed: 1 })
  const adapter = createAdapter(model, { kind: 'lora', rank: 4, targetModules: ['q_proj', 'v_proj'], seed: 2 })
  await saveModel(join(folder, 'model'), { model })
  await saveAdapter(join(folder, 'adapter'), { adapter, baseModel: '../model' })
  console.log(await readdir(join(folder, 'model')), await readdir(join(folder, 'adapter')))

  const { model: loaded, config } = await loadPretrained(join(folder, 'model'), { backend })
  const again = await loadPretrainedAdapter(join(folder, 'adapter'), { model: loaded })
  const merged = mergeAdapter(loaded, again)
  console.log(config.family, `${config.numLayers} layers`)
  for (const one of [model, loaded.withAdapters([again]), merged]) {
    for await (const event of generate({ model: one, tokenIds: Uint32Array.of(1, 2, 3), maxNewTokens: 8, sampling: { temperature: 0 }, stopIds: [] })) {
      if (event.kind === 'finish') console.log([...event.tokenIds].join(' ')) // three times the same: a new adapter changes nothing
    }
  }
  for (const owned of [model, adapter, loaded, again, merged]) owned.dispose()
  console.log(backend.memory().buffers) // 0
} finally {
  await rm(folder, { recursive: true, force: true })
}
