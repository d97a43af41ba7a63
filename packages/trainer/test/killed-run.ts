// A training run of its own process, for the test that kills it: prints each step as a line; its checkpoints take a while to write.
import { writeSync } from 'node:fs'
import { createCpuBackend } from '@weft/tensor/cpu'
import { packDocuments, tokenCorpus, train } from '../src/index.ts'
import { folderStore } from '../src/node.ts'
import { causal } from '../src/objectives.ts'
import { smallNetwork, vocabSize } from './small-network.ts'

// `hang`: where to stop and wait to be killed, `step` in the middle of step 11, `save` within the save after step 12.
const [folder, steps, hang] = [process.argv[2]!, Number(process.argv[3]), process.argv[4]]
const corpus = tokenCorpus(Array.from({ length: 30 }, (_, d) => ({ tokenIds: Array.from({ length: 40 }, (_, i) => (d * i + i) % vocabSize) })))
const network = smallNetwork(createCpuBackend())
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const objective = causal({ network })
let calls = 0
let saves = 0

process.stdout.write('start\n')
for await (const event of train({
  parameters: network.list,
  objective: (batch, pass) => {
    const result = objective(batch, pass)
    if (hang === 'step' && ++calls === 11) {
      writeSync(1, 'hanging\n')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20_000)
    }
    return result
  },
  batches: packDocuments({ corpus, sequenceLength: 8, batchSize: 4, seed: 3 }),
  optimizer: { kind: 'adamW', learningRate: 1e-2 },
  steps,
  checkpoint: {
    store: folderStore(folder),
    everySteps: 4,
    // A second file that is written slowly, so that a kill can fall into the middle of a save.
    extra: () => ({ 'beside.bin': async (sink) => {
      for (let i = 0; i < 8; i++) {
        await sink.write(new Uint8Array(1000))
        await wait(4)
        if (hang === 'save' && i === 4 && ++saves === 3) {
          process.stdout.write('hanging\n')
          await wait(20_000)
        }
      }
    } }),
  },
  resume: 'latest',
  seed: 1,
})) {
  if (event.kind === 'step') process.stdout.write(`${event.step} ${event.lossNats}\n`)
  if (event.kind === 'checkpoint') process.stdout.write(`saved ${event.step}\n`)
  await wait(3)
}
